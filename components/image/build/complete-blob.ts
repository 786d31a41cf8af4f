import { firstContact, pageBlobClient } from "../upload/blob-client";
import { checkUntouched } from "../upload/completion";
import { type BlobState, openImageBlob } from "../upload/image-blob";
import type { UploadTarget } from "../upload/request";
import { createAttempt } from "../upload/retry";

/** Size in bytes, and when the blob was completed (ISO 8601, UTC). */
export type CompleteBlob = Pick<BlobState, "completedAt" | "size">;

/**
 * The target's blob, if it is complete and holds what is wanted: by its content where the image is named after that, else
 * by the digest of what it was built from. Asked before a build, so that a missing right costs seconds, not an hour.
 * @throws if somebody else wrote to it since it was completed
 */
export async function findComplete(
  { blobUrl, digest, isContentNamed }: UploadTarget,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<(CompleteBlob & { readonly name: string }) | undefined> {
  const client = await pageBlobClient(blobUrl, process.env);
  const blob = openImageBlob(client, createAttempt({ signal, log }));
  const state = await firstContact(client, () => blob.state(), signal, log);
  if (!state?.isComplete || digest !== (isContentNamed ? state.contentHash : state.digest)) return undefined;
  checkUntouched(blob, state);
  return { ...state, name: blob.name };
}
