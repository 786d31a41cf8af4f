import { required, requiredUrl } from "../process/environment";
import { interruption } from "../process/interruption";
import { pause } from "../process/pause";
import { runMain } from "../process/run-main";
import { UsageError } from "../process/usage-error";
import { type StatusReader, statusReader } from "../vm/status/read-status";
import { verdictOf } from "../vm/status/verdict";
import { type FleetMachineStatus, notTakenIn } from "./fleet-status";

const POLL_MS = 2_000;

/**
 * Waits until a replica takes visits: it has published, and a front end has published its introduction points under the
 * address. What `OnionFleet` runs before it goes on to the next one. Parameters come in the environment: CONTAINER_URL,
 * MACHINE (the VM's name) and PATIENCE (seconds). One JSON line on standard output, `{"machine","replica"}`; progress on
 * standard error.
 *
 * Exit codes: 1 with the reason if it does not take visits in time, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const machine = required(process.env, "MACHINE");
  const patienceMs = Number(required(process.env, "PATIENCE")) * 1000;
  if (!(patienceMs > 0)) throw new UsageError(`PATIENCE must be seconds, got "${process.env.PATIENCE}"`);
  const signal = interruption();
  const reader = await statusReader(requiredUrl(process.env, "CONTAINER_URL"), signal);
  const started = Date.now();
  for (let said = ""; ; await pause(POLL_MS, signal)) {
    const { problem, replica } = await look(reader, machine);
    if (problem === undefined) return console.log(JSON.stringify({ machine, replica }));
    if (problem !== said) console.error(`waiting: ${problem}`);
    said = problem;
    if (Date.now() - started <= patienceMs) continue;
    const minutes = Math.round(patienceMs / 60_000);
    throw new Error(
      `${machine} takes no visits after ${minutes} minutes: ${problem}: the other replicas stay; type npm run status`,
    );
  }
}

async function look(reader: StatusReader, machine: string): Promise<{ problem?: string; replica?: number }> {
  const status: FleetMachineStatus | undefined = await reader.read(machine);
  if (status === undefined) return { problem: `${machine} has not said anything yet` };
  const verdict = verdictOf(status, new Date());
  if (!verdict.serving) return { problem: verdict.problem ?? `${machine} does not serve` };
  const all = await Promise.all((await reader.machines()).map((name) => reader.read(name)));
  const problem = notTakenIn(
    status,
    all.filter((one) => one !== undefined),
  );
  const { replica } = status;
  return { ...(problem === undefined ? {} : { problem }), ...(replica === undefined ? {} : { replica }) };
}

void runMain(main, { label: "await-replica", exits: true });
