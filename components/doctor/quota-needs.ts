import { DEFAULT_FRONT_END } from "../fleet/fleet-settings";
import { DEFAULT_MACHINE } from "../vm/machine";

/** One machine, as quotas count it. */
export interface Counted {
  /** `Standard_B2s` */
  readonly size: string;
  readonly spot: boolean;
  /** Whether it has a public address of its own. */
  readonly address: boolean;
}

/** A machine that is made, and one that goes before it. */
export interface Step {
  readonly made: Counted;
  readonly gone?: Counted | undefined;
}

/** What a quota counts of a machine. */
export type Count = (machine: Counted) => number;

/** The machines that a configuration asks for. @param own a value of `sealed-onion:KEY` */
export function wantedMachines(own: (key: string) => unknown) {
  const address = (own("outbound") ?? DEFAULT_MACHINE.outbound) === "publicIp";
  const spot = `${own("spot")}` === "true";
  const machine = { size: `${own("vmSize") ?? DEFAULT_MACHINE.vmSize}`, spot, address };
  const replicas = Number(own("replicas") ?? 1);
  if (!(replicas > 1)) return { machines: [machine], frontEnds: [], oldFirst: hasDataDisk(own) };
  const front = { ...DEFAULT_FRONT_END, ...(own("frontEnd") ?? {}) };
  const frontEnd = { size: front.vmSize, spot: false, address };
  return {
    machines: Array.from({ length: replicas }, () => machine),
    frontEnds: Array.from({ length: Number(front.replicas) }, () => frontEnd),
    oldFirst: own("rollout") === "oneByOne",
  };
}

/** A disk belongs to one machine: the old one goes first. */
function hasDataDisk(own: (key: string) => unknown): boolean {
  return Object.keys((own("dataDisk") ?? {}) as object).length > 0;
}

/** What happens while all are replaced, in order. @param there the machines that serve, without front ends */
export function replacement(
  { machines, frontEnds, oldFirst }: ReturnType<typeof wantedMachines>,
  there: readonly Counted[],
): Step[] {
  const front = frontEnds.map((made): Step => ({ made }));
  return [...front, ...machines.map((made, index): Step => ({ made, gone: oldFirst ? there[index] : undefined }))];
}

/** The most that is counted at once, beside what is there before the first step. */
export function peak(steps: readonly Step[], count: Count): number {
  let [now, most] = [0, 0];
  for (const { made, gone } of steps) {
    now += count(made) - (gone === undefined ? 0 : count(gone));
    most = Math.max(most, now);
  }
  return most;
}
