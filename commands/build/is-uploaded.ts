import { firstContact, pageBlobClient } from "../upload/blob-client";
import { openImageBlob } from "../upload/image-blob";
import type { UploadRequest } from "../upload/request";
import { createAttempt } from "../upload/retry";

/** Whether the blob of this digest is complete. Asked before a build, so that a missing right costs seconds, not an hour. */
export async function isUploaded({ blobUrl, digest }: Omit<UploadRequest, "vhd">): Promise<boolean> {
  const log = (line: string): void => console.error(line);
  const { signal } = new AbortController();
  const blob = openImageBlob(await pageBlobClient(blobUrl, process.env), createAttempt({ signal, log }));
  const state = await firstContact(() => blob.state(), signal, log);
  const isThere = state?.isComplete === true && state.digest === digest;
  if (isThere) log(`'${blob.name}' is there already: nothing to build`);
  return isThere;
}
