import * as fs from "node:fs";
import * as path from "node:path";
import type { Cloud } from "loopback-azure/cloud";
import { atOnce } from "../../../components/process/at-once";
import type { Facts } from "../../../components/stack/facts";
import { DISK_BYTES, headBytes, isGuestDisk, readGuestDisk } from "../guest-disk";
import { readNixDisk } from "./nix-disk";

/** A disk is copied in pieces as large as a Put Page may be. */
const PIECE_BYTES = 4 << 20;
/** Shorter stretches of nothing are read with what is around them: a file system's data lies in thousands of places. */
const GAP_BYTES = 1 << 20;

/**
 * What the platform does when a VM starts: follows the VM's image to its blob and copies the blob. Unpacks what lies
 * on that disk into `folder`; nothing is read from the work tree.
 *
 * @returns the facts that the image carries
 */
export async function startFromImage(cloud: Cloud, vmId: string, folder: string): Promise<Facts> {
  const blobUrl = blobBehind(cloud, vmId);
  if (isGuestDisk(await cloud.blobs.read(blobUrl, 0, headBytes))) {
    readGuestDisk(await cloud.blobs.read(blobUrl, 0, DISK_BYTES), folder);
  } else {
    const disk = `${folder}.raw`;
    await copyBlob(cloud, blobUrl, disk);
    readNixDisk(disk, folder);
    fs.rmSync(disk);
  }
  return JSON.parse(fs.readFileSync(path.join(folder, "facts.json"), "utf8"));
}

/** Copies the disk that a VM starts from, its image's blob, into a file. */
export function copyImage(cloud: Cloud, vmId: string, file: string): Promise<void> {
  return copyBlob(cloud, blobBehind(cloud, vmId), file);
}

async function copyBlob(cloud: Cloud, blobUrl: string, file: string): Promise<void> {
  const size = (await cloud.blobs.properties(blobUrl))?.size ?? 0;
  const descriptor = fs.openSync(file, "w");
  try {
    fs.ftruncateSync(descriptor, size);
    const written = await cloud.blobs.written(blobUrl);
    await atOnce(joined(written).flatMap(piecesOf), async ({ offset, count }) => {
      fs.writeSync(descriptor, await cloud.blobs.read(blobUrl, offset, count), 0, count, offset);
    });
  } finally {
    fs.closeSync(descriptor);
  }
}

interface Stretch {
  readonly offset: number;
  readonly count: number;
}

/** @param stretches in order */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const { offset, count } of stretches) {
    const last = result.at(-1);
    if (last && offset - last.offset - last.count < GAP_BYTES)
      result.splice(-1, 1, { offset: last.offset, count: offset + count - last.offset });
    else result.push({ offset, count });
  }
  return result;
}

function piecesOf({ offset, count }: Stretch): Stretch[] {
  const starts = Array.from({ length: Math.ceil(count / PIECE_BYTES) }, (_, index) => offset + index * PIECE_BYTES);
  return starts.map((start) => ({ offset: start, count: Math.min(PIECE_BYTES, offset + count - start) }));
}

/** VM -> managed image or gallery version (-> managed image) -> blob, as the ARM resources refer to each other. */
function blobBehind(cloud: Cloud, id: string): string {
  const resource = cloud.get(id);
  const profile = resource?.properties.storageProfile as StorageProfile | undefined;
  const blobUrl = profile?.osDisk?.blobUri ?? profile?.osDiskImage?.source?.uri;
  if (blobUrl) return blobUrl;
  const next = profile?.imageReference?.id ?? profile?.source?.id;
  if (!next)
    throw new Error(`no blob is behind '${id}': ${resource ? "it names no image" : "there is no such resource"}`);
  return blobBehind(cloud, next);
}

/** The parts of `storageProfile` by which a VM, an image and a gallery image version name where their disk is from. */
interface StorageProfile {
  imageReference?: { id?: string };
  osDisk?: { blobUri?: string };
  osDiskImage?: { source?: { uri?: string } };
  source?: { id?: string };
}
