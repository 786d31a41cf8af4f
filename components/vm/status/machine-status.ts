/** What the network has of one onion service's descriptor. */
export type DescriptorState = "other" | "own" | "waiting";

export interface ServiceStatus {
  readonly hostname: string;
  /** ISO 8601, UTC. */
  readonly published: string | null;
  /** `other`: the network gives out another machine's, under the same key. */
  readonly state: DescriptorState;
  /** Nobody listens where its ports lead: what and why, in one line. */
  readonly silent?: string;
  /** Of one of several replicas: no front end publishes it, as its ssh. */
  readonly alone?: true;
}

/** A unit as systemd has it, and why it does not run in the words that the machine's console shows. */
export interface UnitStatus {
  readonly state: string;
  readonly why?: string;
}

/** Written by `nix/scripts/update-system.sh`. */
export interface UpdateStatus {
  readonly generation: number;
  /** Of the system, in the store. */
  readonly path: string;
  /** `refused` and `went back` are final for this wish; what it is `waiting` for may still come. */
  readonly outcome: "refused" | "running" | "trying" | "waiting" | "went back";
  /** Where it is `running`: what it does not do, and did not before either; mostly empty. */
  readonly why: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** What a machine says of itself: the content of its blob, written by `nix/scripts/write-status.sh`. */
export interface MachineStatus {
  readonly version: 1;
  /** The VM's name. */
  readonly machine: string;
  readonly resourceId: string;
  /** ISO 8601, UTC. */
  readonly written: string;
  readonly boot: string;
  readonly uptimeSeconds: number;
  /** Store paths. */
  readonly system: string;
  readonly bootedSystem: string;
  readonly rebootPending: boolean;
  readonly secrets: UnitStatus;
  readonly tor: UnitStatus & { readonly version: string; readonly guardsSince?: string };
  /** By name. */
  readonly services: Readonly<Record<string, ServiceStatus>>;
  /** Where there is one; its size in bytes once it is mounted. */
  readonly dataDisk?: UnitStatus & { readonly size?: number; readonly available?: number };
  readonly failedUnits: readonly string[];
  /** What the last update in place came to; null before the first one. */
  readonly update?: UpdateStatus | null;
  /** Bytes. */
  readonly disk: { readonly size: number; readonly available: number };
  readonly memory: { readonly total: number; readonly available: number };
  readonly kernel: string;
}

/** @throws if it is no such status; what it says instead is not shown */
export function parseMachineStatus(text: string): MachineStatus {
  const status = parsed(text) as Partial<MachineStatus> | undefined;
  if (status?.version !== 1)
    throw new Error("the machine's status is not one of version 1: type npm ci, then pulumi up");
  const { machine, services, secrets, tor, written } = status;
  if (!machine || !services || !secrets || !tor || Number.isNaN(Date.parse(written ?? ""))) {
    throw new Error("the machine's status is incomplete: type pulumi up");
  }
  return status as MachineStatus;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut short, or by somebody else
  }
}
