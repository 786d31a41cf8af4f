import { runMain } from "../process/run-main";
import type { StatusReader } from "../vm/status/read-status";
import { verdictOf } from "../vm/status/verdict";
import { type Seen, waitForMachine } from "../vm/status/wait-for-machine";
import { type FleetMachineStatus, notTakenIn } from "./fleet-status";

/**
 * Waits until a replica takes visits: it has published, and a front end has published its introduction points under the
 * address. What `OnionFleet` runs before it goes on to the next one. Parameters are those of `waitForMachine`. One JSON
 * line on standard output, `{"machine","replica"}`.
 *
 * Exit codes: 1 with the reason if it does not take visits in time, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  await waitForMachine({ look, missing: "takes no visits", safe: "the other replicas stay" });
}

async function look(reader: StatusReader, machine: string): Promise<Seen<{ replica?: number | undefined }>> {
  const status: FleetMachineStatus | undefined = await reader.read(machine);
  const found = { replica: status?.replica };
  if (status === undefined) return { problem: `${machine} has not said anything yet`, found };
  const verdict = verdictOf(status, new Date());
  if (!verdict.serving) return { problem: verdict.problem ?? `${machine} does not serve`, found };
  const all = await Promise.all((await reader.machines()).map((name) => reader.read(name)));
  const others = all.filter((one) => one !== undefined);
  return { problem: notTakenIn(status, others), found };
}

void runMain(main, { label: "await-replica", exits: true });
