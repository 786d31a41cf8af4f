import type { PageBlobClient } from "@azure/storage-blob";
import type { Progress } from "../../process/progress";
import { CHUNK_SIZE, createContentHash } from "../disk/content-hash";
import type { Range } from "../disk/data-ranges";
import { firstContact } from "./blob-client";
import { createBufferPool } from "./buffer-pool";
import { dataSegments } from "./data-segments";
import type { Disk } from "./disk";
import { type Reading, readChunks } from "./disk-source";
import { type BlobState, type ImageBlob, openImageBlob } from "./image-blob";
import { type Lease, leasePause, takeLease } from "./lease";
import { type Attempt, createAttempt, type RetryPatience } from "./retry";
import { codeOf } from "./storage-problem";
import { type TransferResult, transfer } from "./transfer";

export interface UploadOptions {
  readonly client: PageBlobClient;
  /** What names the image, see `imageDigest()`. */
  readonly digest: string;
  readonly disk: Disk;
  readonly progress: Progress;
  readonly retries?: RetryPatience;
  readonly signal: AbortSignal;
  /** How long one waits for another upload of the same blob. Milliseconds. @default 15 minutes */
  readonly leaseWaitMs?: number;
  /** Folder in which leases are remembered. @default `.cache/uploads` */
  readonly memory?: string;
}

const LEASE_WAIT_MS = 15 * 60_000;

export interface UploadResult {
  /** When the blob was completed, by this upload or before: ISO 8601 in UTC. */
  readonly completedAt: string;
  /** Undefined where the blob was complete already. */
  readonly transfer: TransferResult | undefined;
}

/**
 * Uploads a disk as a page blob, or goes on with an upload that was interrupted. A complete blob is never touched:
 * with the same content there is nothing to do, with another one it is an error.
 */
export async function uploadDisk(options: UploadOptions): Promise<UploadResult> {
  const { client, digest, disk, progress, retries } = options;
  const stopped = new AbortController();
  const signal = AbortSignal.any([options.signal, stopped.signal]);
  const attempt = createAttempt({ ...retries, log: progress.log, signal });
  const blob = openImageBlob(client, attempt);
  const segments = disk.format === "zstd" ? undefined : dataSegments(disk.file); // meanwhile the blob is made
  segments?.catch(() => {}); // told when the disk is read
  const created = await firstContact(() => blob.create(disk.size, digest), signal, progress.log);
  const lease = await waitForLease(blob, attempt, options);
  if ("completedAt" in lease) return lease;
  try {
    const written = await prepare(blob, lease, created, options);
    if ("completedAt" in written) return written;
    const stop = (reason: unknown): void => stopped.abort(reason);
    const result = await transfer({ blob, disk, lease, progress, segments, signal, stop, written });
    const completedAt = await complete(blob, lease, digest, result.contentHash);
    return { completedAt, transfer: result };
  } finally {
    await lease.release();
  }
}

/** Takes the lease as soon as nobody else has it; or finds that the other one has completed the blob. */
async function waitForLease(blob: ImageBlob, attempt: Attempt, options: UploadOptions): Promise<Lease | UploadResult> {
  const { client, digest, leaseWaitMs = LEASE_WAIT_MS, memory, progress, signal } = options;
  const key = client.url.split("?", 1)[0] ?? "";
  const end = Date.now() + leaseWaitMs;
  for (let isWaiting = false; ; ) {
    const lease = await takeLease({ attempt, name: blob.name, client: blob.lease, key, memory, signal });
    if (lease) return lease;
    const state = await blob.state();
    if (state?.isComplete) return checkSame(blob, state, options);
    if (Date.now() > end) {
      throw new Error(
        `another upload has held '${blob.name}' for ${leaseWaitMs / 60_000} minutes: end it, or wait for it`,
      );
    }
    if (state) {
      if (!isWaiting) progress.log(`another upload holds '${blob.name}', waiting for it`);
      isWaiting = true;
      await leasePause(signal);
    } else {
      await blob.create(options.disk.size, digest); // it was deleted meanwhile
    }
  }
}

/**
 * Looks at what the blob holds: what of it can be kept.
 * @param created its ETag, if it was made here. Somebody else may have written to it before it was leased.
 */
async function prepare(
  blob: ImageBlob,
  lease: Lease,
  created: string | undefined,
  options: UploadOptions,
): Promise<Range[] | UploadResult> {
  const { progress } = options;
  const state = await blob.state();
  if (!state) throw new Error(`'${blob.name}' was deleted while it was uploaded: run it again`);
  if (state.isComplete) return checkSame(blob, state, options);
  if (!state.isPageBlob) throw new Error(`'${blob.name}' is no page blob: delete it, nothing here made it`);
  if (!isOurs(state, options)) {
    await restart(blob, lease, state.etag, options);
    return [];
  }
  if (state.etag === created) return [];
  const written = await blob.writtenRanges(lease.id);
  if (written.length > 0) progress.log(`going on with an upload of '${blob.name}' that was interrupted`);
  return written;
}

function isOurs({ digest, size }: BlobState, options: UploadOptions): boolean {
  return size === options.disk.size && digest === options.digest;
}

/** If the answer to this request is lost, the next try finds its own work, which the blob's state tells. */
async function restart(blob: ImageBlob, lease: Lease, etag: string, options: UploadOptions): Promise<void> {
  try {
    await lease.hold(() => blob.restart(options.disk.size, options.digest, lease.id, etag));
  } catch (error) {
    const found = codeOf(error) === "ConditionNotMet" ? await blob.state() : undefined;
    if (!found || !isOurs(found, options)) throw error;
  }
}

/** @throws if a complete blob holds anything else than this disk */
async function checkSame(blob: ImageBlob, state: BlobState, options: UploadOptions): Promise<UploadResult> {
  const { disk, progress } = options;
  progress.log(`'${blob.name}' is complete already, comparing it with '${disk.file}'`);
  const contentHash = await hashDisk(options);
  if (isOurs(state, options) && state.contentHash === contentHash) {
    return { completedAt: state.completedAt, transfer: undefined };
  }
  throw new Error(
    `'${blob.name}' is complete and holds another content (${state.contentHash.slice(0, 16) || "unknown"}) than ` +
      `'${disk.file}' (${contentHash.slice(0, 16)}): complete blobs are never overwritten, delete it if it is wrong`,
  );
}

async function hashDisk({ disk, progress, signal }: UploadOptions): Promise<string> {
  const hash = createContentHash(disk.size);
  const pool = createBufferPool([Buffer.allocUnsafeSlow(CHUNK_SIZE), Buffer.allocUnsafeSlow(CHUNK_SIZE)]);
  let reading: Reading = { position: 0, data: disk.size, left: disk.size };
  const onRead = (now: Reading): void => {
    reading = now;
  };
  const unfollow = progress.follow(() => reading, "comparing");
  try {
    for await (const { buffer, bytes, index, runs } of readChunks(disk, pool, { onRead, signal })) {
      hash.add(index, bytes, runs);
      pool.give(buffer);
    }
  } finally {
    unfollow();
  }
  return hash.digest();
}

/**
 * Set last. If the answer to this request is lost, the blob's state tells whether it was done.
 * @returns when it was completed, by Azure's clock: versions that grow with it grow whoever's machine uploads
 */
async function complete(blob: ImageBlob, lease: Lease, digest: string, contentHash: string): Promise<string> {
  const state = await blob.state();
  const completedAt = (state?.asOf ?? new Date()).toISOString();
  try {
    await lease.hold(() => blob.complete({ completedAt, contentHash, digest }, lease.id, state?.etag ?? ""));
    return completedAt;
  } catch (error) {
    const found = await blob.state();
    if (!found?.isComplete || found.contentHash !== contentHash) throw error;
    return found.completedAt;
  }
}
