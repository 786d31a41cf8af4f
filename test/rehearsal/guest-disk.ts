import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { partitionTable, SECTOR_BYTES } from "./partition-table";

/**
 * The small Gen2 disk that stands for a NixOS image where a rehearsal has no Nix: what the image would carry of a
 * stack (facts.json and the sealed files) lies as a tar archive in its root partition (its length in the first sector); there is no operating system.
 */
const MEBIBYTE = 1 << 20;
export const DISK_BYTES = 64 * MEBIBYTE;
const EFI_PARTITION = { firstByte: MEBIBYTE, bytes: 3 * MEBIBYTE };
const ROOT_PARTITION = { firstByte: 4 * MEBIBYTE, bytes: 59 * MEBIBYTE };
/** Stands for the system around the sealed files, so that an upload has data, holes and something to skip. */
const FILLER = { firstByte: 36 * MEBIBYTE, bytes: 6 * MEBIBYTE };

const MAGIC = Buffer.from("sealed-onion rehearsal\n");

/** Whether the first bytes of a disk (`headBytes`) are those of such a disk, not of one that Nix has built. */
export function isGuestDisk(head: Buffer): boolean {
  return head.subarray(ROOT_PARTITION.firstByte).indexOf(MAGIC) === 0;
}

/** How much of a disk `isGuestDisk` looks at. */
export const headBytes = ROOT_PARTITION.firstByte + SECTOR_BYTES;

/**
 * The disk (without a VHD footer) that carries the files of `stackDirectory`.
 * @param sealed of a front end, whose sealed files are another stack's: that one's folder, and their names
 */
export function writeGuestDisk(
  stackDirectory: string,
  sealed: { readonly directory: string; readonly files: readonly string[] } = { directory: stackDirectory, files: [] },
): Buffer {
  const disk = Buffer.alloc(DISK_BYTES);
  partitionTable(disk, [
    { type: "efi", ...EFI_PARTITION },
    { type: "linux", ...ROOT_PARTITION },
  ]);
  const others = sealed.files.length === 0 ? [] : ["-C", path.resolve(sealed.directory), ...sealed.files];
  const archive = execFileSync("tar", ["-c", "-f", "-", "-C", stackDirectory, ".", ...others], {
    maxBuffer: ROOT_PARTITION.bytes,
  });
  MAGIC.copy(disk, ROOT_PARTITION.firstByte);
  disk.writeUInt32LE(archive.length, ROOT_PARTITION.firstByte + MAGIC.length);
  archive.copy(disk, ROOT_PARTITION.firstByte + SECTOR_BYTES);
  for (let at = 0; at < FILLER.bytes; at += SECTOR_BYTES) disk.writeUInt32LE(at + 1, FILLER.firstByte + at);
  return disk;
}

/** Unpacks what `writeGuestDisk` put there into an existing folder. */
export function readGuestDisk(disk: Buffer, folder: string): void {
  const archive = disk.subarray(ROOT_PARTITION.firstByte + SECTOR_BYTES, FILLER.firstByte);
  const length = disk.readUInt32LE(ROOT_PARTITION.firstByte + MAGIC.length);
  execFileSync("tar", ["-x", "-f", "-", "-C", folder], { input: archive.subarray(0, length) });
}
