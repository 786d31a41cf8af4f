import * as fs from "node:fs";
import { setFlagsFromString } from "node:v8";
import { interruption } from "../../process/interruption";
import { createProgress, type Progress, size, time } from "../../process/progress";
import { runMain } from "../../process/run-main";
import type { CompleteBlob } from "../build/complete-blob";
import { dropOtherLinks } from "../build/disk-link";
import { notedPaths } from "../build/image-paths";
import { fileDigest, fileStamp } from "../disk/file-digest";
import { pathsOf } from "../image";
import { readUploadRequest, type UploadRequest, withoutQuery } from "./request";
import { endStalledRequests } from "./stalled-requests";
import type { TransferResult } from "./transfer";

/**
 * Uploads a disk as a page blob: what `NixosImage` runs after the build. Parameters come in the environment: VHD (a path,
 * or what `build-image` printed) and those of `build-image`, for the disk may have to be built again: a machine that goes
 * on with another one's upload does not have it. One JSON line on standard output, `{"blobUrl","size","completedAt"}`,
 * everything else on standard error. `completedAt` belongs to the blob: a gallery's version is named after it.
 *
 * Exit codes: 1 if it could not be uploaded (run again, it goes on), 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  // Each request leaves garbage. V8 would let 32 MiB of it gather; collecting it at 2 MiB takes no more time.
  setFlagsFromString("--semi-space-growth-factor=1");
  const request = readUploadRequest(process.env);
  const progress = createProgress("uploading");
  endStalledRequests(60_000);
  try {
    const { completedAt, size } = await uploadImage(request, progress, interruption());
    console.log(JSON.stringify({ blobUrl: withoutQuery(request.blobUrl), size, completedAt }));
  } finally {
    progress.end();
  }
  const { STACK: stack } = process.env;
  if (!stack) return;
  await sendPaths(stack, request);
  dropOtherLinks(stack, request.digest);
}

/** Beside the image: which store paths it has, where the build has noted them. */
async function sendPaths(stack: string, { blobUrl, digest }: UploadRequest): Promise<void> {
  const noted = notedPaths(stack, digest);
  if (noted === undefined) return;
  const { containerOf } = await import("./blob-client.js");
  const { blob, client } = await containerOf(blobUrl, process.env);
  await client.getBlockBlobClient(pathsOf(blob)).uploadData(noted);
}

async function uploadImage(request: UploadRequest, progress: Progress, signal: AbortSignal): Promise<CompleteBlob> {
  const built = builtDisk(request);
  if ("vhd" in built) return send(built.vhd, request, progress, signal);
  const { findComplete } = await import("../build/complete-blob.js");
  const complete = await findComplete(request, signal, progress.log);
  if (complete) return complete;
  progress.log(`${built.problem}: building it again`);
  return send(await buildAgain(signal), request, progress, signal);
}

/** The disk that was built, or why it cannot be sent from here and now. */
function builtDisk({ stamp, vhd }: UploadRequest): { vhd: string } | { problem: string } {
  if (vhd === undefined) return { problem: "the blob was complete and is not any more" };
  if (!fs.existsSync(vhd)) return { problem: `the disk '${vhd}' is gone` };
  if (stamp === undefined || stamp === fileStamp(vhd)) return { vhd };
  return { problem: `the disk '${vhd}' is not the one that was built` };
}

/** @returns the disk's path */
async function buildAgain(signal: AbortSignal): Promise<string> {
  const { buildDisk, readBuildRequest } = await import("../build/build-disk.js");
  signal.throwIfAborted();
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason)); // the builder ends with this process
  });
  const { vhd } = await Promise.race([buildDisk(readBuildRequest(process.env)), interrupted]);
  return vhd;
}

async function send(vhd: string, request: UploadRequest, progress: Progress, signal: AbortSignal) {
  const { blobUrl, digest, isContentNamed } = request;
  const { openDisk } = await import("./disk.js");
  const disk = await openDisk(vhd, signal);
  if (isContentNamed && fileDigest(vhd) !== digest) {
    throw new Error(`'${vhd}' is not the disk that the image is named after: run pulumi up again`);
  }
  // The Azure SDK takes a while to load: only after the disk was found good.
  const { uploadDisk } = await import("./upload.js");
  const { pageBlobClient } = await import("./blob-client.js");
  const { openNeighbours } = await import("./neighbours.js");
  const client = await pageBlobClient(blobUrl, process.env);
  const { STACK: stack } = process.env;
  const neighbours = stack ? await openNeighbours(blobUrl, stack, process.env) : undefined;
  const wanted = { client, digest, disk, isContentNamed, neighbours };
  const { completedAt, transfer } = await uploadDisk({ ...wanted, progress, signal });
  progress.end();
  progress.log(tell(client.name, transfer));
  return { size: disk.size, completedAt };
}

function tell(blob: string, transfer: TransferResult | undefined): string {
  if (transfer === undefined) return `'${blob}' is there already: nothing was sent`;
  const { copied, kept, requests, seconds, sent, skipped } = transfer;
  const copiedText = copied > 0 ? `, ${size(copied)} copied from the last image` : "";
  const keptText = kept > 0 ? `, ${size(kept)} were there already` : "";
  return (
    `uploaded '${blob}': ${size(sent)} sent in ${requests} requests, ${size(skipped)} of zeros skipped${copiedText}${keptText}, ` +
    `${time(seconds)}, ${size(sent / Math.max(0.001, seconds))}/s`
  );
}

runMain(main, { label: "upload", exits: true });
