import { runMain } from "../../process/run-main";
import { parseRelease } from "../../system/publish/release";
import { awaited } from "./awaited";
import { waitForMachine } from "./wait-for-machine";

/** A machine looks every few seconds: what it said before this `up` may be over by then. */
const LOOKS_AGAIN_MS = 20_000;

/**
 * Waits until a machine serves, and runs the system that it is asked for: what `OnionVm` runs before the machine before
 * it goes, and after each change in place. Parameters are those of `waitForMachine`, and RELEASE (JSON) where it takes
 * systems in place. One JSON line on standard output, `{"machine","system"}`.
 *
 * Exit codes: 1 with the machine's own reason if it does not serve in time, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const release = parseRelease(process.env.RELEASE ?? "");
  const started = Date.now();
  let first: string | undefined;
  await waitForMachine({
    async look(reader, machine) {
      const status = await reader.read(machine);
      const { isFinal, isRunning, ...seen } = awaited(machine, status, release, new Date());
      const at = status?.update?.at;
      first ??= at ?? "";
      const isNews = at !== first || Date.now() - started > LOOKS_AGAIN_MS;
      const safe = isRunning ? { safe: `it runs system ${release?.generation} all the same` } : {};
      return { ...seen, ...safe, isFinal: isFinal && isNews, found: { system: status?.system } };
    },
    missing: "does not serve",
    safe: release === undefined ? "the machine before it stays" : "it runs what it ran before",
  });
}

void runMain(main, { label: "await-machine", exits: true });
