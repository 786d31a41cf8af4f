import type { MachineStatus } from "../vm/status/machine-status";

/** What a front end has of one replica: see `nix/frontend/record.py`. */
export interface TakenIn {
  /** Of those that the replica has now, how many are in what was published last. */
  readonly introductionPoints: number;
  /** When the replica was asked for them. ISO 8601, UTC. */
  readonly fetched: string | null;
}

/** What a front end says of one address. */
export interface Balanced {
  /** When the directories had answered to what was published last. ISO 8601, UTC. */
  readonly published: string | null;
  /** Whether some have not answered yet: clients may be given the descriptor before. */
  readonly uploading: boolean;
  /** Directories that did not take in what was published last. */
  readonly failedUploads: number;
  /** By the replicas' own addresses. */
  readonly backends: Readonly<Record<string, TakenIn>>;
}

/** What a machine of a fleet says besides: `nix/scripts/write-status.sh`. */
export interface FleetMachineStatus extends MachineStatus {
  readonly zone?: string;
  /** Of a replica: which one it is. */
  readonly replica?: number;
  /** Of a replica: what its tor has counted since its start, that many seconds ago. */
  readonly visits?: { readonly introductions: number; readonly seconds: number };
  /** Of a front end, by address. */
  readonly frontEnd?: Readonly<Record<string, Balanced>>;
}

/** A descriptor lives for three hours in the network's directories. */
export const DESCRIPTOR_MS = 180 * 60_000;

/** Published every hour; the next time may be missed once. */
export const LATE_MS = 90 * 60_000;

/**
 * Why a replica takes no visits yet, or undefined where each of its addresses is published by a front end that looked
 * after the replica itself had published.
 */
export function notTakenIn(replica: FleetMachineStatus, machines: readonly FleetMachineStatus[]): string | undefined {
  const balanced = machines.flatMap(({ frontEnd }) => Object.values(frontEnd ?? {}));
  if (balanced.length === 0) return "no front end has said anything yet";
  for (const { alone, hostname, published } of Object.values(replica.services)) {
    if (alone) continue;
    const isTaken = balanced.some(({ backends, published: at, uploading }) => {
      const taken = backends[hostname];
      return (
        at !== null && !uploading && taken !== undefined && taken.introductionPoints > 0 && isAfter(taken, published)
      );
    });
    if (!isTaken) return `no front end has published its introduction points yet, ${hostname}`;
  }
  return undefined;
}

function isAfter({ fetched }: TakenIn, published: string | null): boolean {
  return Date.parse(fetched ?? "") >= Date.parse(published ?? ""); // never, where either is not known
}
