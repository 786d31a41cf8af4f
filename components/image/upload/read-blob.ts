import { buffer } from "node:stream/consumers";
import type { BlobClient } from "@azure/storage-blob";

/**
 * A blob's content by one request, so that it is one version of it. The SDK's `downloadToBuffer` asks for the length first:
 * what is written again between the two answers comes cut off, or fails.
 * @throws with the code ECONNABORTED where the answer ended early: it is tried again as other cut connections are
 */
export async function readBlob(blob: BlobClient, abortSignal: AbortSignal): Promise<Buffer> {
  const { contentLength, readableStreamBody } = await blob.download(0, undefined, { abortSignal });
  if (!readableStreamBody) return endedEarly();
  const content = await buffer(readableStreamBody).catch(endedEarly);
  return content.length === contentLength ? content : endedEarly();
}

function endedEarly(cause?: unknown): never {
  throw Object.assign(new Error("the answer ended early", { cause }), { code: "ECONNABORTED" });
}
