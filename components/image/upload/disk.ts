import * as fs from "node:fs/promises";
import { ProgramMissing } from "../../process/child-process";
import { conversionOffer, diskFormat } from "../disk/disk-format";
import { fileDigest } from "../disk/file-digest";
import {
  checkGeneration,
  type ImageGeneration,
  PARTITION_TABLE_SIZE,
  readPartitionTable,
} from "../disk/partition-table";
import { checkFixedVhd, DISK_UNIT, FOOTER_SIZE, wholeUnits } from "../disk/vhd-footer";
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
}

/** What is checked before anything is sent: the start of the disk and, where it can be had without reading all, its end. */
interface Ends {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/**
 * Recognises a disk file and checks what would only be found when a VM fails to start: footer, size, partition table.
 * @throws with what is wrong, and what to type where the file can be converted
 */
export async function openDisk(file: string, generation: ImageGeneration, signal?: AbortSignal): Promise<Disk> {
  const { ends, fileSize } = await readEnds(file);
  const format = diskFormat(ends.head, ends.tail);
  switch (format) {
    case "fixed-vhd":
      checkFixedVhd(file, ends.tail, fileSize);
      checkGeneration(file, readPartitionTable(file, ends.head), generation);
      return { file, format, fileSize, size: fileSize, id: "" };
    case "raw":
      checkGeneration(file, readPartitionTable(file, ends.head), generation);
      return { file, format, fileSize, size: wholeUnits(fileSize) + FOOTER_SIZE, id: fileDigest(file) };
    case "zstd":
      return openPacked(file, fileSize, generation, signal);
    default:
      throw new Error(conversionOffer(file, format));
  }
}

async function openPacked(
  file: string,
  fileSize: number,
  generation: ImageGeneration,
  signal: AbortSignal | undefined,
): Promise<Disk> {
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
  checkGeneration(file, readPartitionTable(file, head), generation);
  return { file, format: "zstd", fileSize, size, id: "" };
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

async function readEnds(file: string): Promise<{ ends: Ends; fileSize: number }> {
  const handle = await fs.open(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`cannot read the disk '${file}': ${error.code}: set image.vhd to a fixed VHD`);
  });
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(Math.min(PARTITION_TABLE_SIZE, size));
    const tail = Buffer.alloc(Math.min(FOOTER_SIZE, size));
    await handle.read(head, 0, head.length, 0);
    await handle.read(tail, 0, tail.length, size - tail.length);
    return { ends: { head, tail }, fileSize: size };
  } finally {
    await handle.close();
  }
}
