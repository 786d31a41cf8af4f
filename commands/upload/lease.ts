import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BlobLeaseClient } from "@azure/storage-blob";
import { runningSince } from "./process-start";
import type { Attempt } from "./retry";
import { StorageProblem } from "./storage-problem";

/** An exclusive right to write to a blob. It ends by itself if its holder dies: a killed upload blocks nobody for long. */
export interface Lease {
  readonly id: string;
  /** Runs a write; if the lease ran out meanwhile (a laptop that slept) and nobody else took it, once again. */
  hold<T>(write: () => Promise<T>): Promise<T>;
  /** Gives the blob free. A failure is not reported: the lease then ends by itself. */
  release(): Promise<void>;
}

/** Azure takes 15 to 60 s. */
const LEASE_SECONDS = 30;
const RENEWAL_MS = 10_000;
const POLL_MS = 1_000;
const RELEASE_MS = 4_000;
const RELEASE_PAUSE_MS = 100;

export interface LeaseOptions {
  readonly attempt: Attempt;
  /** `container/name`, for messages. */
  readonly name: string;
  readonly client: (id: string) => BlobLeaseClient;
  /** Names the blob on this machine's disk: its URL without a query. */
  readonly key: string;
  /** Folder for what is remembered between runs. @default `.cache/uploads` */
  readonly memory?: string | undefined;
  readonly signal: AbortSignal;
}

interface Holder {
  readonly lease: string;
  readonly host: string;
  readonly process: number;
  readonly since: string;
}

/**
 * Takes the lease on a blob. Undefined while somebody else has it. A lease that a killed upload on this machine left
 * behind is taken over at once.
 */
export async function takeLease(options: LeaseOptions): Promise<Lease | undefined> {
  const { attempt, client, name, signal } = options;
  const memory = memoryFile(options);
  for (const id of [readDeadHolder(memory), randomUUID()]) {
    if (id === undefined) continue;
    const isTaken = await attempt(`lease '${name}'`, async (abortSignal) => {
      try {
        await client(id).acquireLease(LEASE_SECONDS, { abortSignal });
        return true;
      } catch (error) {
        if ((error as { code?: string }).code?.startsWith("Lease")) return false; // somebody else has it
        throw error;
      }
    });
    if (!isTaken) continue;
    writeHolder(memory, id);
    return keepLease(id, memory, options, signal);
  }
  return undefined;
}

function keepLease(id: string, memory: string, { attempt, client, name }: LeaseOptions, signal: AbortSignal): Lease {
  const leaseClient = client(id);
  const ended = new AbortController();
  const renew = (): Promise<unknown> =>
    attempt(`renew the lease on '${name}'`, (abortSignal) => leaseClient.renewLease({ abortSignal }));
  const renewing = renewRegularly(renew, AbortSignal.any([signal, ended.signal]));
  return {
    id,
    async hold(write) {
      try {
        return await write();
      } catch (error) {
        if (!isLost(error)) throw error;
        await renew().catch(() => {
          throw new StorageProblem(`'${name}' was taken over by another upload while this one was away: run it again`, {
            code: "LeaseLost",
            status: 412,
            retryAfterMs: 0,
          });
        });
        return await write();
      }
    },
    async release() {
      ended.abort();
      await renewing;
      await releaseSoon(leaseClient, AbortSignal.timeout(RELEASE_MS));
      fs.rmSync(memory, { force: true });
    },
  };
}

/** What cannot be released in time ends by itself: nobody is told. */
async function releaseSoon(lease: BlobLeaseClient, abortSignal: AbortSignal): Promise<void> {
  while (!abortSignal.aborted) {
    try {
      await lease.releaseLease({ abortSignal });
      return;
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 409) return; // released, or somebody else's by now
      await delay(RELEASE_PAUSE_MS, undefined, { signal: abortSignal }).catch(() => {});
    }
  }
}

/** A renewal that fails is left to the next one, or to the write that finds the lease lost. */
async function renewRegularly(renew: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(RENEWAL_MS, undefined, { signal, ref: false }).catch(() => {});
    if (!signal.aborted) await Promise.race([renew().catch(() => {}), aborted(signal)]);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function isLost(error: unknown): boolean {
  return ["LeaseLost", "LeaseNotPresentWithBlobOperation"].includes((error as { code?: string }).code ?? "");
}

/** How long one asks again whether somebody else's lease has ended. */
export function leasePause(signal: AbortSignal): Promise<void> {
  return delay(POLL_MS, undefined, { signal });
}

function memoryFile({ key, memory = path.join(".cache", "uploads") }: LeaseOptions): string {
  return path.join(memory, `${encodeURIComponent(key).slice(-200)}.json`);
}

function writeHolder(memory: string, lease: string): void {
  const holder: Holder = { lease, host: os.hostname(), process: process.pid, since: runningSince(process.pid) ?? "" };
  fs.mkdirSync(path.dirname(memory), { recursive: true });
  fs.writeFileSync(memory, JSON.stringify(holder));
}

/** The lease of an upload that ran on this machine and is surely gone. Only one of several that ask at once gets it. */
function readDeadHolder(memory: string): string | undefined {
  const own = `${memory}.${process.pid}`;
  try {
    const holder = JSON.parse(fs.readFileSync(memory, "utf8")) as Holder;
    if (holder.host !== os.hostname() || runningSince(holder.process) === holder.since) return undefined;
    fs.renameSync(memory, own);
    fs.rmSync(own);
    return holder.lease;
  } catch {
    return undefined; // none, or cut by the kill: its lease ends by itself
  }
}
