import { firstContact, pageBlobClient } from "../upload/blob-client";
import { type BlobState, openImageBlob } from "../upload/image-blob";
import type { UploadTarget } from "../upload/request";
import { createAttempt } from "../upload/retry";

/** Size in bytes, and when the blob was completed (ISO 8601, UTC). */
export type CompleteBlob = Pick<BlobState, "completedAt" | "size">;

/**
 * The target's blob, if it is complete and holds this digest. Asked before a build, so that a missing right costs
 * seconds, not an hour.
 */
export async function findComplete(
  { blobUrl, digest }: UploadTarget,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<(CompleteBlob & { readonly name: string }) | undefined> {
  const blob = openImageBlob(await pageBlobClient(blobUrl, process.env), createAttempt({ signal, log }));
  const state = await firstContact(() => blob.state(), signal, log);
  return state?.isComplete && state.digest === digest ? { ...state, name: blob.name } : undefined;
}
