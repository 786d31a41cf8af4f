import * as fs from "node:fs";
import { createProgress, type Progress, size, time } from "./progress";
import { Interrupted, interruption } from "./upload/interruption";
import { readUploadRequest, type UploadRequest, UsageError, withoutQuery } from "./upload/request";

/**
 * Uploads a disk as a page blob: what `NixosImage` runs after the build. Parameters come in the environment (see
 * `UploadRequest`); one JSON line on standard output, `{"blobUrl","size"}`, everything else on standard error.
 *
 * Exit codes: 1 if it could not be uploaded (run again, it goes on), 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const request = readUploadRequest(process.env);
  const progress = createProgress("uploading");
  try {
    const bytes = await uploadImage(request, progress, interruption());
    console.log(JSON.stringify({ blobUrl: withoutQuery(request.blobUrl), size: bytes }));
  } finally {
    progress.end();
  }
}

/** Gives the blob's size in bytes. */
async function uploadImage(request: UploadRequest, progress: Progress, signal: AbortSignal): Promise<number> {
  const { blobUrl, digest, generation, vhd } = request;
  if (vhd === undefined || !fs.existsSync(vhd)) return checkThere(request, progress, signal);
  const { openDisk } = await import("./upload/disk.js");
  const disk = await openDisk(vhd, generation);
  const [{ uploadDisk }, { pageBlobClient }] = await loadUpload();
  const client = await pageBlobClient(blobUrl, process.env);
  const start = Date.now();
  const result = await uploadDisk({ client, digest, disk, progress, signal });
  progress.end();
  if (result === undefined) progress.log(`'${client.name}' is there already: nothing was sent`);
  else {
    const seconds = Math.max(0.001, (Date.now() - start) / 1000);
    const kept = result.kept > 0 ? `, ${size(result.kept)} were there already` : "";
    progress.log(
      `uploaded '${client.name}': ${size(result.sent)} sent in ${result.requests} requests, ` +
        `${size(result.skipped)} of zeros skipped${kept}, ${time(seconds)}, ${size(result.sent / seconds)}/s`,
    );
  }
  return disk.size;
}

/** The build gave no disk, as the blob was complete; or gave one that is not on this machine. */
async function checkThere({ blobUrl, digest, vhd }: UploadRequest, progress: Progress, signal: AbortSignal) {
  const [, { pageBlobClient }] = await loadUpload();
  const { openImageBlob } = await import("./upload/image-blob.js");
  const { createAttempt } = await import("./upload/retry.js");
  const attempt = createAttempt({ signal, log: progress.log });
  const blob = openImageBlob(await pageBlobClient(blobUrl, process.env), attempt);
  const state = await blob.state();
  if (state?.isComplete && state.digest === digest) return state.size;
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
