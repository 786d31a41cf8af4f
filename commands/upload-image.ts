import * as fs from "node:fs";
import { createProgress, type Progress, size, time } from "./progress";
import { Interrupted, interruption } from "./upload/interruption";
import { readUploadRequest, type UploadRequest, UsageError, withoutQuery } from "./upload/request";
import type { TransferResult } from "./upload/transfer";

/**
 * Uploads a disk as a page blob: what `NixosImage` runs after the build. Parameters come in the environment (see
 * `UploadRequest`); one JSON line on standard output, `{"blobUrl","size","completedAt"}`, everything else on standard
 * error. `completedAt` belongs to the blob: a gallery's version is named after it.
 *
 * Exit codes: 1 if it could not be uploaded (run again, it goes on), 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const request = readUploadRequest(process.env);
  const progress = createProgress("uploading");
  try {
    const blob = await uploadImage(request, progress, interruption());
    console.log(JSON.stringify({ blobUrl: withoutQuery(request.blobUrl), ...blob }));
  } finally {
    progress.end();
  }
}

interface CompleteBlob {
  /** Bytes. */
  readonly size: number;
  readonly completedAt: string;
}

async function uploadImage(request: UploadRequest, progress: Progress, signal: AbortSignal): Promise<CompleteBlob> {
  const { blobUrl, digest, generation, vhd } = request;
  if (vhd === undefined || !fs.existsSync(vhd)) return checkThere(request, progress, signal);
  const { openDisk } = await import("./upload/disk.js");
  const disk = await openDisk(vhd, generation);
  const [{ uploadDisk }, { pageBlobClient }] = await loadUpload();
  const client = await pageBlobClient(blobUrl, process.env);
  const start = Date.now();
  const { completedAt, transfer } = await uploadDisk({ client, digest, disk, progress, signal });
  progress.end();
  progress.log(tell(client.name, transfer, (Date.now() - start) / 1000));
  return { size: disk.size, completedAt };
}

function tell(blob: string, transfer: TransferResult | undefined, seconds: number): string {
  if (transfer === undefined) return `'${blob}' is there already: nothing was sent`;
  const { kept, requests, sent, skipped } = transfer;
  const keptText = kept > 0 ? `, ${size(kept)} were there already` : "";
  return (
    `uploaded '${blob}': ${size(sent)} sent in ${requests} requests, ${size(skipped)} of zeros skipped${keptText}, ` +
    `${time(seconds)}, ${size(sent / Math.max(0.001, seconds))}/s`
  );
}

/** The build gave no disk, as the blob was complete; or gave one that is not on this machine. */
async function checkThere(
  { blobUrl, digest, vhd }: UploadRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<CompleteBlob> {
  const [, { pageBlobClient }] = await loadUpload();
  const { openImageBlob } = await import("./upload/image-blob.js");
  const { createAttempt } = await import("./upload/retry.js");
  const attempt = createAttempt({ signal, log: progress.log });
  const blob = openImageBlob(await pageBlobClient(blobUrl, process.env), attempt);
  const state = await blob.state();
  if (state?.isComplete && state.digest === digest) return { size: state.size, completedAt: state.completedAt };
  const missing = vhd === undefined ? `'${blob.name}' was complete and is not any more` : `the disk '${vhd}' is gone`;
  throw new Error(
    `${missing}: build it again, \`pulumi state taint\` on the image's build command, then \`pulumi up\``,
  );
}

/** The Azure SDK takes a while to load: only after the disk was found good. */
async function loadUpload() {
  const { endStalledRequests } = await import("./upload/stalled-requests.js");
  endStalledRequests(60_000);
  return [await import("./upload/upload.js"), await import("./upload/blob-client.js")] as const;
}

main().catch((error: unknown) => {
  console.error(`upload: ${(error as Error).message}`);
  process.exit(error instanceof UsageError ? 2 : error instanceof Interrupted ? error.exitCode : 1);
});
