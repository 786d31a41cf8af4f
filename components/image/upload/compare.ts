import { CHUNK_SIZE, createContentHash } from "../disk/content-hash";
import { createBufferPool } from "./buffer-pool";
import { checkUntouched } from "./completion";
import { checkUnchanged } from "./disk";
import { type Reading, readChunks } from "./disk-source";
import type { BlobState, ImageBlob } from "./image-blob";
import type { UploadOptions, UploadResult } from "./upload-options";

/** @throws if a complete blob holds anything else than this disk, or was written to by somebody else */
export async function checkSame(blob: ImageBlob, state: BlobState, options: UploadOptions): Promise<UploadResult> {
  const { digest, disk, progress } = options;
  checkUntouched(blob, state);
  progress.log(`'${blob.name}' is complete already, comparing it with '${disk.file}'`);
  const contentHash = await hashDisk(options);
  if (state.size === disk.size && state.digest === digest && state.contentHash === contentHash) {
    return { completedAt: state.completedAt, transfer: undefined };
  }
  throw new Error(
    `'${blob.name}' is complete and holds another content (${state.contentHash.slice(0, 16) || "unknown"}) than ` +
      `'${disk.file}' (${contentHash.slice(0, 16)}): complete blobs are never overwritten, ` +
      `type \`${blob.command("delete")}\` if it is wrong`,
  );
}

/**
 * What was read of a disk is the disk as it is now and, where the image is named after a content, that content.
 * @throws if it is not
 */
export function checkRead(contentHash: string, { digest, disk, isContentNamed }: UploadOptions): void {
  checkUnchanged(disk);
  if (!isContentNamed || disk.format !== "fixed-vhd" || contentHash === digest) return;
  throw new Error(`'${disk.file}' is not the disk that the image is named after: run pulumi up again`);
}

async function hashDisk(options: UploadOptions): Promise<string> {
  const { disk, progress, signal } = options;
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
  const contentHash = hash.digest();
  checkRead(contentHash, options);
  return contentHash;
}
