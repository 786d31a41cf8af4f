import type { Release } from "../../system/publish/release";
import type { MachineStatus } from "./machine-status";
import { isSilent, verdictOf } from "./verdict";

/** What is still missing before a machine serves what it is asked for. */
export interface Awaited {
  /** Undefined: nothing. */
  readonly problem?: string;
  /** Waiting would not help. */
  readonly isFinal?: boolean;
  /** It is as it was asked for, and should be better. */
  readonly warning?: string;
  /** It runs what it is asked for, whatever is missing besides. */
  readonly isRunning?: boolean;
}

/** @param release what the machine is asked to run, where it takes systems in place */
export function awaited(
  machine: string,
  status: MachineStatus | undefined,
  release: Release | undefined,
  now: Date,
): Awaited {
  if (status === undefined) return { problem: `${machine} has not said anything yet` };
  if (release === undefined) return { ...problemOf(status, now) };
  const { update } = status;
  if (update === undefined) {
    const problem = "is of an image that takes no systems in place";
    return {
      problem: `${problem}: raise sealed-onion:image.generation, or set sealed-onion:update to replace`,
      isFinal: true,
    };
  }
  if (update?.generation !== release.generation && isSilent(status, now)) return problemOf(status, now);
  if (update?.generation !== release.generation) {
    const never = "a machine of an older image never does: raise sealed-onion:image.generation";
    return { problem: `it has not seen system ${release.generation} yet (${never})` };
  }
  const { outcome, why } = update;
  const what = `system ${release.generation}`;
  if (outcome === "refused") return { problem: `refuses ${what}: ${why}`, isFinal: true };
  if (outcome === "went back") return { problem: `went back from ${what}: ${why}`, isFinal: true };
  if (outcome !== "running" || status.system !== release.path) {
    return { problem: `${what} is not running yet${why === "" ? "" : `: ${why}`}` };
  }
  const found = problemOf(status, now);
  // The machine has looked itself, and holds nothing against a system that was so before.
  const isExcused = found.problem !== undefined && why !== "" && verdictOf(answered(status), now).serving;
  return isExcused ? { warning: why } : { ...found, isRunning: true };
}

/** The same, were somebody there behind each address. */
function answered(status: MachineStatus): MachineStatus {
  const services = Object.entries(status.services).map(([name, { silent: _, ...service }]) => [name, service]);
  return { ...status, services: Object.fromEntries(services) };
}

function problemOf(status: MachineStatus, now: Date): Awaited {
  const { problem, serving } = verdictOf(status, now);
  return serving ? {} : { problem: problem ?? "it does not serve" };
}
