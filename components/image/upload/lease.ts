import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { BlobLeaseClient } from "@azure/storage-blob";
import { pause } from "../../process/pause";
import { openLeaseMemory } from "./lease-memory";
import type { Attempt } from "./retry";
import { codeOf, StorageProblem } from "./storage-problem";

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
/** A renewal that hangs for longer is tried again: the next one may still be in time. */
const RENEWAL_TIMEOUT_MS = 8_000;
const POLL_MS = 1_000;
const RELEASE_MS = 4_000;
const RELEASE_PAUSE_MS = 100;
/** How often a lease is renewed for one write. */
const REGAINS = 3;

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

/**
 * Takes the lease on a blob. Undefined while somebody else has it, or where the blob is gone. A lease that a killed
 * upload on this machine left behind is taken over at once.
 */
export async function takeLease(options: LeaseOptions): Promise<Lease | undefined> {
  const memory = openLeaseMemory(options.key, options.memory);
  const dead = memory.takeDead();
  const fresh = randomUUID();
  const isClaimed = memory.claim([...dead, fresh]);
  for (const id of [...dead, fresh]) {
    if (!(await acquire(id, options))) continue;
    if (id !== fresh) await change(id, fresh, options);
    memory.write(fresh);
    return keepLease(fresh, options, memory.forget);
  }
  if (isClaimed) memory.forget();
  return undefined;
}

function acquire(id: string, { attempt, client, name }: LeaseOptions): Promise<boolean> {
  return attempt(`lease '${name}'`, async (abortSignal) => {
    try {
      await client(id).acquireLease(LEASE_SECONDS, { abortSignal });
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code.startsWith("Lease") || code === "BlobNotFound") return false;
      throw error;
    }
  });
}

/** What the dead upload had still on its way, with its own lease's id, is refused from here on. */
async function change(id: string, fresh: string, { attempt, client, name }: LeaseOptions): Promise<void> {
  await attempt(`take over the lease on '${name}'`, async (abortSignal) => {
    try {
      await client(id).changeLease(fresh, { abortSignal });
    } catch (error) {
      if (!codeOf(error).startsWith("Lease")) throw error;
      await client(fresh).renewLease({ abortSignal }); // it was changed, and the answer was lost
    }
  });
}

function keepLease(id: string, options: LeaseOptions, forget: () => void): Lease {
  const { attempt, client, name, signal } = options;
  const leaseClient = client(id);
  const ended = new AbortController();
  const renew = (): Promise<unknown> =>
    attempt(`renew the lease on '${name}'`, (abortSignal) =>
      leaseClient.renewLease({ abortSignal: AbortSignal.any([abortSignal, AbortSignal.timeout(RENEWAL_TIMEOUT_MS)]) }),
    );
  let regaining: Promise<void> | undefined;
  const regain = (): Promise<void> => {
    regaining ??= renew()
      .then(
        () => {},
        (error: unknown) => Promise.reject(lossOf(name, error)),
      )
      .finally(() => {
        regaining = undefined;
      });
    return regaining;
  };
  const renewing = renewRegularly(renew, AbortSignal.any([signal, ended.signal]));
  return {
    id,
    async hold(write) {
      for (let regains = 0; ; regains++) {
        try {
          return await write();
        } catch (error) {
          if (!isLost(error)) throw error;
          if (regains === REGAINS) throw lossOf(name, error);
          await regain();
        }
      }
    },
    async release() {
      ended.abort();
      await renewing;
      await releaseSoon(leaseClient, AbortSignal.timeout(RELEASE_MS));
      forget();
    },
  };
}

/** What cannot be released in time ends by itself, without a message. */
async function releaseSoon(lease: BlobLeaseClient, abortSignal: AbortSignal): Promise<void> {
  while (!abortSignal.aborted) {
    try {
      await lease.releaseLease({ abortSignal });
      return;
    } catch (error) {
      if ([404, 409].includes((error as { statusCode?: number }).statusCode ?? 0)) return; // released, or not ours by now
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

/** What a write says whose lease ran out, was broken, or is another's by now. */
const LOST = new Set(["LeaseLost", "LeaseNotPresentWithBlobOperation", "LeaseIdMismatchWithBlobOperation"]);

function isLost(error: unknown): boolean {
  return LOST.has(codeOf(error));
}

/** Why a lease cannot be had back. A network that is down is no loss: the message says that it is down. */
function lossOf(name: string, error: unknown): unknown {
  const code = codeOf(error);
  if (!code.startsWith("Lease")) return error;
  const reason = code.includes("Mismatch") ? "was taken over by another upload" : "had its lease broken";
  return new StorageProblem(`'${name}' ${reason} while this one was away (${code}): run it again, it goes on`, {
    code: "LeaseLost",
    status: 412,
    retryAfterMs: 0,
  });
}

/** How long one asks again whether somebody else's lease has ended. */
export function leasePause(signal: AbortSignal): Promise<void> {
  return pause(POLL_MS, signal);
}
