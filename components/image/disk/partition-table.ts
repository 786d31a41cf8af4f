import { crc32 } from "node:zlib";
import { SECTOR_SIZE } from "./vhd-footer";

/** Bytes from a disk's start that hold its partition tables: MBR, GPT header and up to 128 entries of 128 bytes. */
export const PARTITION_TABLE_SIZE = 34 * SECTOR_SIZE;

export interface PartitionTable {
  readonly scheme: "gpt" | "mbr" | "none";
  /** GPT type GUIDs in upper case, or MBR types as two lower-case hex digits. */
  readonly types: readonly string[];
  /** Bytes that a disk with this table has at least: all partitions, and a GPT's backup, end here. 0 without a table. */
  readonly end: number;
  /** Where a GPT's backup header lies, in bytes. */
  readonly backup: number | undefined;
}

/** UEFI specification 2.10, table 5.7, and https://en.wikipedia.org/wiki/BIOS_boot_partition */
const EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const MBR_EFI_SYSTEM = "ef";
const MBR_PROTECTIVE = "ee";
/** The type of an entry that describes no partition. */
const UNUSED = Buffer.alloc(16);

/**
 * Reads the partition table from a disk's first `PARTITION_TABLE_SIZE` bytes (UEFI specification 2.10, chapter 5).
 * @throws if there is a GPT whose checksums are wrong or contradicts itself; a disk without any table is `none`
 */
export function readPartitionTable(name: string, head: Buffer): PartitionTable {
  const hasSignature = head.length >= SECTOR_SIZE && head.readUInt16LE(510) === 0xaa55;
  if (head.toString("latin1", SECTOR_SIZE, SECTOR_SIZE + 8) === "EFI PART") {
    return { scheme: "gpt", ...readGpt(name, head) };
  }
  const slots = hasSignature ? [0, 1, 2, 3].map((slot) => head.subarray(446 + 16 * slot, 462 + 16 * slot)) : [];
  const used = slots.filter((slot) => slot.readUInt8(4) !== 0);
  const types = used.map((slot) => slot.toString("hex", 4, 5));
  if (types.includes(MBR_PROTECTIVE)) throw new Error(`'${name}' has a protective MBR and no GPT behind it`);
  const ends = used.map((slot) => (slot.readUInt32LE(8) + slot.readUInt32LE(12)) * SECTOR_SIZE);
  return {
    scheme: types.length > 0 ? "mbr" : "none",
    types,
    end: Math.max(0, ...ends),
    backup: undefined,
  };
}

/**
 * Checks that a disk of `size` bytes is as long as its partition table says. What is behind it, padding, is fine.
 * @throws if the disk is cut
 */
export function checkLength(name: string, { end }: PartitionTable, size: number): void {
  if (end <= size) return;
  throw new Error(`'${name}' is cut: its partition table needs ${end} bytes, it has ${size}: copy or build it again`);
}

/**
 * Checks a GPT's backup header, which a disk has at its end: a copy of full size that was interrupted lacks it.
 * @param bytes the 512 bytes at `backup`
 */
export function checkBackup(name: string, { backup }: PartitionTable, bytes: Buffer): void {
  if (backup === undefined) return;
  const isThere = bytes.toString("latin1", 0, 8) === "EFI PART" && hasRightChecksum(bytes);
  if (isThere && bytes.readBigUInt64LE(24) === BigInt(backup / SECTOR_SIZE)) return;
  throw new Error(
    `'${name}' was not written to its end: its GPT has no backup at byte ${backup}: copy or build it again`,
  );
}

/**
 * Checks that a disk can boot by UEFI, as VMs of generation 2 do.
 * @throws if it cannot, with what its partition table holds and which option builds the right one
 */
export function checkBoots(name: string, table: PartitionTable): void {
  if (table.types.includes(EFI_SYSTEM) || table.types.includes(MBR_EFI_SYSTEM)) return;
  const found =
    table.scheme === "none" ? "no partition table" : `a ${table.scheme.toUpperCase()} with ${list(table.types)}`;
  throw new Error(
    `'${name}' has ${found}, a generation 2 image boots by UEFI from an EFI system partition: ` +
      'build it with virtualisation.azureImage.vmGeneration = "v2"',
  );
}

/** The header's checksum is taken with its own field zero. @param header its sector */
function hasRightChecksum(header: Buffer): boolean {
  const size = header.readUInt32LE(12);
  const signed = Buffer.from(header.subarray(0, Math.min(size, SECTOR_SIZE)));
  signed.fill(0, 16, 20);
  return size >= 92 && crc32(signed) === header.readUInt32LE(16);
}

function readGpt(name: string, head: Buffer): Pick<PartitionTable, "backup" | "end" | "types"> {
  const header = head.subarray(SECTOR_SIZE, 2 * SECTOR_SIZE);
  if (!hasRightChecksum(header)) throw new Error(`'${name}' has a damaged GPT: the checksum of its header is wrong`);
  const sector = (at: number): number => Number(header.readBigUInt64LE(at));
  const [backup, lastUsable] = [sector(32), sector(48)];
  const used = gptEntries(name, head, header).filter((entry) => !entry.subarray(0, 16).equals(UNUSED));
  const lastUsed = Math.max(0, ...used.map((entry) => Number(entry.readBigUInt64LE(40))));
  if (lastUsed > lastUsable) {
    throw new Error(
      `'${name}' has a damaged GPT: a partition ends at sector ${lastUsed}, the last one is ${lastUsable}`,
    );
  }
  const end = (Math.max(backup, lastUsable) + 1) * SECTOR_SIZE;
  return { types: used.map(guid), backup: backup * SECTOR_SIZE, end };
}

function gptEntries(name: string, head: Buffer, header: Buffer): Buffer[] {
  const first = Number(header.readBigUInt64LE(72));
  const [count, entrySize] = [header.readUInt32LE(80), header.readUInt32LE(84)];
  const entries = head.subarray(first * SECTOR_SIZE, first * SECTOR_SIZE + count * entrySize);
  if (entrySize < 128 || entries.length < count * entrySize) {
    throw new Error(`'${name}' has a GPT of ${count} entries at sector ${first}, at most 128 at sector 2 can be read`);
  }
  if (crc32(entries) !== header.readUInt32LE(88)) {
    throw new Error(`'${name}' has a damaged GPT: the checksum of its entries is wrong`);
  }
  return Array.from({ length: count }, (_, index) => entries.subarray(index * entrySize, (index + 1) * entrySize));
}

/** The first 16 bytes as a GUID: the first three groups are little-endian. */
function guid(bytes: Buffer): string {
  const digits = [
    Buffer.from(bytes.subarray(0, 4)).reverse(),
    Buffer.from(bytes.subarray(4, 6)).reverse(),
    Buffer.from(bytes.subarray(6, 8)).reverse(),
    bytes.subarray(8, 10),
    bytes.subarray(10, 16),
  ];
  return digits.map((group) => group.toString("hex").toUpperCase()).join("-");
}

function list(types: readonly string[]): string {
  return types.length === 0 ? "no partition" : `partition${types.length > 1 ? "s" : ""} of type ${types.join(", ")}`;
}
