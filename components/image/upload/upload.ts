import { setMaxListeners } from "node:events";
import type { Range } from "../disk/data-ranges";
import { dataSegments } from "../disk/data-segments";
import { firstContact } from "./blob-client";
import { checkRead, checkSame } from "./compare";
import { complete } from "./completion";
import { findEarlier } from "./copier";
import { type BlobState, type ImageBlob, openImageBlob } from "./image-blob";
import { type Lease, leasePause, takeLease } from "./lease";
import { type Attempt, createAttempt } from "./retry";
import { codeOf } from "./storage-problem";
import { transfer } from "./transfer";
import type { UploadOptions, UploadResult } from "./upload-options";

const LEASE_WAIT_MS = 15 * 60_000;

/**
 * Uploads a disk as a page blob, or goes on with an upload that was interrupted. A complete blob is never touched:
 * with the same content there is nothing to do, with another one it is an error.
 */
export async function uploadDisk(options: UploadOptions): Promise<UploadResult> {
  const { client, digest, disk, neighbours, progress, retries } = options;
  const stopped = new AbortController();
  const signal = AbortSignal.any([options.signal, stopped.signal]);
  const attempt = createAttempt({ ...retries, log: progress.log, signal });
  setMaxListeners(0, signal); // each request listens: Node would warn of more than ten
  const blob = openImageBlob(client, attempt);
  const segments = disk.format === "zstd" ? undefined : dataSegments(disk.file); // meanwhile the blob is made
  segments?.catch(() => {}); // reported when the disk is read
  const created = await firstContact(client, () => blob.create(disk.size, digest), signal, progress.log);
  const lease = await waitForLease(blob, attempt, options);
  if ("completedAt" in lease) return lease;
  try {
    const written = await prepare(blob, lease, created, options);
    if ("completedAt" in written) return written;
    const stop = (reason: unknown): void => stopped.abort(reason);
    const earlier = await findEarlier(neighbours, attempt, progress);
    const recordsBlocks = neighbours !== undefined;
    const result = await transfer({
      ...{ blob, disk, earlier, lease, progress, recordsBlocks, segments, signal, stop, written },
    });
    checkRead(result.contentHash, options);
    if (result.blocks) await saveBlocks(result.blocks, attempt, options);
    const completedAt = await complete(blob, lease, digest, result.contentHash);
    return { completedAt, transfer: result };
  } finally {
    await lease.release();
  }
}

/** The next image can do without. */
async function saveBlocks(blocks: Buffer, attempt: Attempt, { neighbours, progress }: UploadOptions): Promise<void> {
  await neighbours?.saveBlocks(attempt, blocks).catch((error: unknown) => {
    progress.log(`the next image will be sent whole: ${(error as Error).message}`);
  });
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
    if (state?.isLeasedForever) {
      throw new Error(
        `'${blob.name}' is leased without an end, by a VM's disk or another tool: type \`${blob.command("lease break")}\``,
      );
    }
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
