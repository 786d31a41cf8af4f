import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Cleanup } from "../cleanup";
import { requireTools } from "../setup";
import { Steps } from "../steps";
import { provideOnionbalance } from "./onionbalance";
import { emptyReport, type FleetReport } from "./report";
import { openFleetStage } from "./stage";
import { tellFleet } from "./stories";
import { newTelling } from "./telling";

/** The stories of one address behind several machines, on a Tor network of its own. */
export async function rehearseFleet(replicas: number, cleanup: Cleanup): Promise<FleetReport> {
  const steps = new Steps();
  const say = (line: string) => steps.say(line);
  await steps.run("tools on PATH", () => requireTools(["tor", "tor-gencert"], say));
  const onionbalance = await steps.run("Onionbalance", () => provideOnionbalance(say));
  const report = { guest: "light" as const, ...emptyReport(replicas) };
  if (onionbalance.skipped !== undefined) return { ...report, steps: steps.times, skipped: [onionbalance.skipped] };
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "so-"));
  cleanup.add(() => fs.rmSync(directory, { recursive: true, force: true }));
  const stage = await steps.run("a Tor network of nine relays", () =>
    openFleetStage({ directory, onionbalance }, cleanup),
  );
  const { outcome, tell } = newTelling(steps);
  await tellFleet(stage, replicas, tell);
  return { ...report, ...outcome(), steps: steps.times };
}
