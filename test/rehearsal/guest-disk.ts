import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { partitionTable, sectorBytes } from "./partition-table";

/**
 * The small Gen2 disk that stands for a NixOS image where a rehearsal has no Nix: what the image would carry of a
 * stack (facts.json and the sealed files) lies as a tar archive in its root partition (its length in the first sector); there is no operating system.
 */
const mebibyte = 1 << 20;
export const diskBytes = 64 * mebibyte;
const efiPartition = { firstByte: mebibyte, bytes: 3 * mebibyte };
const rootPartition = { firstByte: 4 * mebibyte, bytes: 59 * mebibyte };
/** Stands for the system around the sealed files, so that an upload has data, holes and something to skip. */
const filler = { firstByte: 36 * mebibyte, bytes: 6 * mebibyte };

const magic = Buffer.from("sealed-onion rehearsal\n");

/** Whether the first bytes of a disk (`headBytes`) are those of such a disk, not of one that Nix has built. */
export function isGuestDisk(head: Buffer): boolean {
  return head.subarray(rootPartition.firstByte).indexOf(magic) === 0;
}

/** How much of a disk `isGuestDisk` looks at. */
export const headBytes = rootPartition.firstByte + sectorBytes;

/**
 * The disk (without a VHD footer) that carries the files of `stackDirectory`.
 * @param sealed of a front end, whose sealed files are another stack's: that one's folder, and their names
 */
export function writeGuestDisk(
  stackDirectory: string,
  sealed: { readonly directory: string; readonly files: readonly string[] } = { directory: stackDirectory, files: [] },
): Buffer {
  const disk = Buffer.alloc(diskBytes);
  partitionTable(disk, [
    { type: "efi", ...efiPartition },
    { type: "linux", ...rootPartition },
  ]);
  const others = sealed.files.length === 0 ? [] : ["-C", path.resolve(sealed.directory), ...sealed.files];
  const archive = execFileSync("tar", ["-c", "-f", "-", "-C", stackDirectory, ".", ...others], {
    maxBuffer: rootPartition.bytes,
  });
  magic.copy(disk, rootPartition.firstByte);
  disk.writeUInt32LE(archive.length, rootPartition.firstByte + magic.length);
  archive.copy(disk, rootPartition.firstByte + sectorBytes);
  for (let at = 0; at < filler.bytes; at += sectorBytes) disk.writeUInt32LE(at + 1, filler.firstByte + at);
  return disk;
}

/** Unpacks what `writeGuestDisk` put there into an existing folder. */
export function readGuestDisk(disk: Buffer, folder: string): void {
  const archive = disk.subarray(rootPartition.firstByte + sectorBytes, filler.firstByte);
  const length = disk.readUInt32LE(rootPartition.firstByte + magic.length);
  execFileSync("tar", ["-x", "-f", "-", "-C", folder], { input: archive.subarray(0, length) });
}
