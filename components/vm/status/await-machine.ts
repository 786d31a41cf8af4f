import { required, requiredUrl } from "../../process/environment";
import { interruption } from "../../process/interruption";
import { pause } from "../../process/pause";
import { runMain } from "../../process/run-main";
import { UsageError } from "../../process/usage-error";
import { parseRelease } from "../../system/publish/release";
import { awaited } from "./awaited";
import { statusReader } from "./read-status";

/**
 * Waits until a machine serves, and runs the system that it is asked for: what `OnionVm` runs before the machine before
 * it goes, and after each change in place. Parameters come in the environment: CONTAINER_URL, MACHINE (the VM's name),
 * PATIENCE (seconds), and RELEASE (JSON) where it takes systems in place. One JSON line on standard output,
 * `{"machine","system"}`; progress on standard error, a line for each change of what the machine says.
 *
 * Exit codes: 1 with the machine's own reason if it does not serve in time, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const machine = required(process.env, "MACHINE");
  const patienceMs = Number(required(process.env, "PATIENCE")) * 1000;
  if (!(patienceMs > 0)) throw new UsageError(`PATIENCE must be seconds, got "${process.env.PATIENCE}"`);
  const release = parseRelease(process.env.RELEASE ?? "");
  const before = release === undefined ? "the machine before it stays" : "it runs what it ran before";
  const signal = interruption();
  const reader = await statusReader(requiredUrl(process.env, "CONTAINER_URL"), signal);
  const started = Date.now();
  for (let said = ""; ; await pause(POLL_MS, signal)) {
    const status = await reader.read(machine);
    const { problem, isFinal } = awaited(machine, status, release, new Date());
    if (problem === undefined) {
      console.log(JSON.stringify({ machine, system: status?.system }));
      return;
    }
    if (isFinal) throw new Error(`${machine} ${problem}: ${before}; type npm run status`);
    if (problem !== said) console.error(`waiting: ${problem}`);
    said = problem;
    if (Date.now() - started > patienceMs) {
      const minutes = Math.round(patienceMs / 60_000);
      throw new Error(`${machine} does not serve after ${minutes} minutes: ${problem}: ${before}; type npm run status`);
    }
  }
}

const POLL_MS = 2_000;

runMain(main, { label: "await-machine", exits: true });
