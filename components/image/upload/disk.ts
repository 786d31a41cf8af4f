import * as fs from "node:fs/promises";
import { ProgramMissing } from "../../process/find-program";
import { checkDiskFile } from "../disk/disk-file";
import { conversionOffer, diskFormat } from "../disk/disk-format";
import { fileDigest, fileStamp } from "../disk/file-digest";
import {
  checkBackup,
  checkBoots,
  checkLength,
  PARTITION_TABLE_SIZE,
  type PartitionTable,
  readPartitionTable,
} from "../disk/partition-table";
import { checkFixedVhd, DISK_UNIT, FOOTER_SIZE, SECTOR_SIZE, wholeUnits } from "../disk/vhd-footer";
import { REPACK, unpack, unpackedSize } from "./zstd";

/** A disk file that can go to Azure: a fixed VHD as it is, a raw disk with a footer behind it, a packed VHD unpacked. */
export interface Disk {
  readonly file: string;
  readonly format: "fixed-vhd" | "raw" | "zstd";
  /** Bytes of the file itself. */
  readonly fileSize: number;
  /** Bytes of the fixed VHD that it gives, footer included. */
  readonly size: number;
  /** What makes a raw disk's footer unique: the digest of the disk, in hex. Empty for others. */
  readonly id: string;
  /** The file's `fileStamp()` before anything of it was read. */
  readonly stamp: string;
  readonly table: PartitionTable;
}

/** What is checked before anything is sent: the start of the disk and, where it can be had without reading all, its end. */
interface Ends {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/**
 * Recognises a disk file and checks what would only be found when a VM fails to start: footer, size, partition table,
 * and that it is not cut.
 * @throws with what is wrong, and what to type where the file can be converted
 */
export async function openDisk(file: string, signal?: AbortSignal): Promise<Disk> {
  const fileSize = checkDiskFile(file);
  const stamp = fileStamp(file);
  const ends = await readEnds(file, fileSize);
  const format = diskFormat(ends.head, ends.tail);
  switch (format) {
    case "fixed-vhd": {
      checkFixedVhd(file, ends.tail, fileSize);
      const table = await checkTable(file, ends.head, fileSize - FOOTER_SIZE);
      return { file, format, fileSize, size: fileSize, id: "", stamp, table };
    }
    case "raw": {
      const table = await checkTable(file, ends.head, fileSize);
      const size = wholeUnits(fileSize) + FOOTER_SIZE;
      return { file, format, fileSize, size, id: fileDigest(file), stamp, table };
    }
    case "zstd":
      return { file, fileSize, stamp, ...(await openPacked(file, signal)) };
    default:
      throw new Error(conversionOffer(file, format));
  }
}

/** @throws if somebody has written to the disk since it was opened: what was read then belongs to no one disk */
export function checkUnchanged({ file, stamp }: Disk): void {
  if (fileStamp(file) === stamp) return;
  throw new Error(`'${file}' was written to while it was uploaded: let its writer finish and run pulumi up again`);
}

async function checkTable(file: string, head: Buffer, size: number): Promise<PartitionTable> {
  const table = readPartitionTable(file, head);
  checkBoots(file, table);
  checkLength(file, table, size);
  if (table.backup !== undefined) checkBackup(file, table, await readAt(file, table.backup, SECTOR_SIZE));
  return table;
}

async function openPacked(
  file: string,
  signal: AbortSignal | undefined,
): Promise<Pick<Disk, "format" | "id" | "size" | "table">> {
  const { head, size, tail } = await readUnpacked(file, signal).catch((error: unknown) => {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new Error(`'${file}' is packed with zstd, which is not on PATH: install zstd, or unpack the file`);
  });
  if (size % DISK_UNIT !== FOOTER_SIZE) {
    throw new Error(
      `'${file}' unpacks to ${size} bytes, a fixed VHD has a whole number of MiB and 512 bytes: ${REPACK}`,
    );
  }
  if (tail) checkFixedVhd(file, tail, size);
  const table = readPartitionTable(file, head);
  checkBoots(file, table);
  checkLength(file, table, size - FOOTER_SIZE);
  return { format: "zstd", size, id: "", table };
}

/** With its size known only the start is unpacked, and its footer checked when it comes; else all of it, to count it. */
async function readUnpacked(
  file: string,
  signal: AbortSignal | undefined,
): Promise<{ head: Buffer; size: number; tail?: Buffer }> {
  const size = await unpackedSize(file);
  const { ended, stdout } = await unpack(file);
  const pieces: Buffer[] = [];
  let last = Buffer.alloc(0);
  let count = 0;
  for await (const piece of stdout as AsyncIterable<Buffer>) {
    signal?.throwIfAborted();
    if (count < PARTITION_TABLE_SIZE) pieces.push(piece);
    count += piece.length;
    if (size !== undefined && count >= PARTITION_TABLE_SIZE) break; // ends the stream, and zstd with it
    last = Buffer.concat([last.subarray(-FOOTER_SIZE), piece.subarray(-FOOTER_SIZE)]);
  }
  const head = Buffer.concat(pieces);
  if (size !== undefined && count >= PARTITION_TABLE_SIZE) {
    await ended.catch(() => {}); // it was not allowed to end its work
    return { head, size };
  }
  await ended;
  return { head, size: count, tail: last.subarray(-FOOTER_SIZE) };
}

async function readEnds(file: string, size: number): Promise<Ends> {
  return {
    head: await readAt(file, 0, Math.min(PARTITION_TABLE_SIZE, size)),
    tail: await readAt(file, Math.max(0, size - FOOTER_SIZE), Math.min(FOOTER_SIZE, size)),
  };
}

async function readAt(file: string, offset: number, length: number): Promise<Buffer> {
  const handle = await fs.open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, offset);
    return buffer;
  } finally {
    await handle.close();
  }
}
