import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Cleanup } from "../cleanup";
import { requireTools } from "../setup";
import { Steps } from "../steps";
import { provideOnionbalance } from "./onionbalance";
import type { FleetReport } from "./report";
import { openFleetStage } from "./stage";
import { tellFleet } from "./stories";

/** The stories of one address behind several machines, on a Tor network of its own. */
export async function rehearseFleet(replicas: number, cleanup: Cleanup): Promise<FleetReport> {
  const steps = new Steps();
  const say = (line: string) => steps.say(line);
  await steps.run("tools on PATH", () => requireTools(["tor", "tor-gencert"], say));
  const onionbalance = await steps.run("Onionbalance", () => provideOnionbalance(say));
  const report = { replicas, spread: {}, failedFetches: {}, slowestMs: 0, stories: [], skipped: [], ok: true };
  if (onionbalance.skipped !== undefined) return { ...report, steps: steps.times, skipped: [onionbalance.skipped] };
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "so-"));
  cleanup.add(() => fs.rmSync(directory, { recursive: true, force: true }));
  const stage = await steps.run("a Tor network of nine relays", () =>
    openFleetStage({ directory, onionbalance }, cleanup),
  );
  const told: FleetReport["stories"][number][] = [];
  const failedFetches: Record<string, number> = {};
  let spread: FleetReport["spread"] = {};
  let slowestMs = 0;
  await tellFleet(stage, replicas, async (name, story) => {
    const start = performance.now();
    const { visits, problems } = await steps.run(name, story, ({ visits: { fetches, failed, times } }) =>
      fetches === 0
        ? ""
        : `${failed} of ${fetches} fetches failed, slowest ${(Math.max(...times) / 1000).toFixed(1)} s`,
    );
    for (const problem of [...visits.reasons, ...problems]) say(problem);
    if (name === "spread") spread = visits.spread;
    failedFetches[name] = visits.failed;
    slowestMs = Math.max(slowestMs, ...visits.times);
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    told.push({ name, seconds, ok: visits.failed === 0 && problems.length === 0 });
  });
  return {
    ...{ replicas, spread, failedFetches, slowestMs: Math.round(slowestMs), steps: steps.times, stories: told },
    skipped: [],
    ok: told.every(({ ok }) => ok),
  };
}
