import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";

export const SECTOR_BYTES = 512;
const ENTRY_COUNT = 128;
const ENTRY_BYTES = 128;
const ENTRY_SECTORS = (ENTRY_COUNT * ENTRY_BYTES) / SECTOR_BYTES;

/** Partition type GUIDs, UEFI specification 2.10 section 5.3.3 and the Discoverable Partitions Specification. */
const TYPE_IDS = {
  efi: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
  linux: "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
};

export interface Partition {
  type: keyof typeof TYPE_IDS;
  firstByte: number;
  bytes: number;
}

/**
 * Writes a protective MBR and both copies of a GUID partition table into a disk.
 *
 * Source: UEFI specification 2.10, sections 5.2.3 (protective MBR) and 5.3 (GPT).
 */
export function partitionTable(disk: Buffer, partitions: Partition[]): void {
  const lastSector = disk.length / SECTOR_BYTES - 1;
  const entries = Buffer.alloc(ENTRY_COUNT * ENTRY_BYTES);
  for (const [index, partition] of partitions.entries()) writeEntry(entries.subarray(index * ENTRY_BYTES), partition);
  writeProtectiveMbr(disk, lastSector);
  const diskId = guid(randomUUID());
  const placeCopy = (headerSector: number, otherHeader: number, entriesSector: number) => {
    entries.copy(disk, entriesSector * SECTOR_BYTES);
    const header = { headerSector, otherHeader, entriesSector, lastSector, diskId, entries };
    gptHeader(header).copy(disk, headerSector * SECTOR_BYTES);
  };
  placeCopy(1, lastSector, 2);
  placeCopy(lastSector, 1, lastSector - ENTRY_SECTORS);
}

function writeEntry(entry: Buffer, { type, firstByte, bytes }: Partition): void {
  guid(TYPE_IDS[type]).copy(entry, 0);
  guid(randomUUID()).copy(entry, 16);
  entry.writeBigUInt64LE(BigInt(firstByte / SECTOR_BYTES), 32);
  entry.writeBigUInt64LE(BigInt((firstByte + bytes) / SECTOR_BYTES - 1), 40);
  entry.write(type, 56, "utf16le");
}

function writeProtectiveMbr(disk: Buffer, lastSector: number): void {
  disk.writeUInt8(0xee, 446 + 4);
  disk.writeUInt32LE(1, 446 + 8);
  disk.writeUInt32LE(lastSector, 446 + 12);
  disk.writeUInt16LE(0xaa55, 510);
}

interface Header {
  headerSector: number;
  otherHeader: number;
  entriesSector: number;
  lastSector: number;
  diskId: Buffer;
  entries: Buffer;
}

function gptHeader(header: Header): Buffer {
  const { headerSector, otherHeader, entriesSector, lastSector, diskId, entries } = header;
  const bytes = Buffer.alloc(92);
  bytes.write("EFI PART", 0, "latin1");
  bytes.writeUInt32LE(0x00010000, 8);
  bytes.writeUInt32LE(bytes.length, 12);
  const sectors = [headerSector, otherHeader, 2 + ENTRY_SECTORS, lastSector - ENTRY_SECTORS - 1];
  for (const [index, sector] of sectors.entries()) bytes.writeBigUInt64LE(BigInt(sector), 24 + 8 * index);
  diskId.copy(bytes, 56);
  bytes.writeBigUInt64LE(BigInt(entriesSector), 72);
  bytes.writeUInt32LE(ENTRY_COUNT, 80);
  bytes.writeUInt32LE(ENTRY_BYTES, 84);
  bytes.writeUInt32LE(crc32(entries), 88);
  bytes.writeUInt32LE(crc32(bytes), 16);
  return bytes;
}

/** A GUID as GPT stores it: the first three fields little-endian. */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  return Buffer.concat([
    bytes.subarray(0, 4).reverse(),
    bytes.subarray(4, 6).reverse(),
    bytes.subarray(6, 8).reverse(),
    bytes.subarray(8),
  ]);
}

/** Where the first partition of a type lies, in bytes; undefined where there is none. @param head from the disk's start */
export function findPartition(head: Buffer, type: Partition["type"]): { firstByte: number; bytes: number } | undefined {
  for (let at = 2 * SECTOR_BYTES; at < 2 * SECTOR_BYTES + ENTRY_COUNT * ENTRY_BYTES; at += ENTRY_BYTES) {
    if (!head.subarray(at, at + 16).equals(guid(TYPE_IDS[type]))) continue;
    const [first, last] = [head.readBigUInt64LE(at + 32), head.readBigUInt64LE(at + 40)];
    return { firstByte: Number(first) * SECTOR_BYTES, bytes: Number(last - first + 1n) * SECTOR_BYTES };
  }
  return undefined;
}
