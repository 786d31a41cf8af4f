import { crc32 } from "node:zlib";
import { SECTOR_SIZE } from "./vhd-footer";

/** Bytes from a disk's start that hold its partition tables: MBR, GPT header and up to 128 entries of 128 bytes. */
export const PARTITION_TABLE_SIZE = 34 * SECTOR_SIZE;

/** `1`: BIOS, MBR boot code. `2`: UEFI, an EFI system partition. As in `hyperVGeneration` of a managed image. */
export type ImageGeneration = 1 | 2;

export interface PartitionTable {
  readonly scheme: "gpt" | "mbr" | "none";
  /** GPT type GUIDs in upper case, or MBR types as two lower-case hex digits. */
  readonly types: readonly string[];
  /** Whether the first sector holds code for a BIOS to start. */
  readonly hasBootCode: boolean;
}

/** UEFI specification 2.10, table 5.7, and https://en.wikipedia.org/wiki/BIOS_boot_partition */
const EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const MBR_EFI_SYSTEM = "ef";
const MBR_PROTECTIVE = "ee";

/**
 * Reads the partition table from a disk's first `PARTITION_TABLE_SIZE` bytes (UEFI specification 2.10, chapter 5).
 * @throws if there is a GPT whose checksums are wrong; a disk without any table is `none`
 */
export function readPartitionTable(name: string, head: Buffer): PartitionTable {
  const hasSignature = head.length >= SECTOR_SIZE && head.readUInt16LE(510) === 0xaa55;
  const mbrTypes = hasSignature ? [0, 1, 2, 3].map((slot) => mbrType(head, slot)).filter((type) => type !== "00") : [];
  const hasBootCode = hasSignature && head.subarray(0, 440).some((byte) => byte !== 0);
  if (head.toString("latin1", SECTOR_SIZE, SECTOR_SIZE + 8) === "EFI PART") {
    return { scheme: "gpt", types: gptTypes(name, head), hasBootCode };
  }
  if (mbrTypes.includes(MBR_PROTECTIVE)) throw new Error(`'${name}' has a protective MBR and no GPT behind it`);
  return { scheme: mbrTypes.length > 0 ? "mbr" : "none", types: mbrTypes, hasBootCode };
}

/**
 * Checks that a disk can boot on a VM of this generation.
 * @throws if it cannot, with what its partition table holds and which option builds the right one
 */
export function checkGeneration(name: string, table: PartitionTable, generation: ImageGeneration): void {
  const isEfi = table.types.includes(EFI_SYSTEM) || table.types.includes(MBR_EFI_SYSTEM);
  const found =
    table.scheme === "none" ? "no partition table" : `a ${table.scheme.toUpperCase()} with ${list(table.types)}`;
  if (generation === 2 && !isEfi) {
    throw new Error(
      `'${name}' has ${found}, a generation 2 image boots by UEFI from an EFI system partition: ` +
        'build it with virtualisation.azureImage.vmGeneration = "v2"',
    );
  }
  if (generation === 1 && !table.hasBootCode) {
    throw new Error(
      `'${name}' has ${found} and no boot code in its first sector, a generation 1 image boots by BIOS: ` +
        'build it with virtualisation.azureImage.vmGeneration = "v1"',
    );
  }
}

function mbrType(head: Buffer, slot: number): string {
  return head
    .readUInt8(446 + 16 * slot + 4)
    .toString(16)
    .padStart(2, "0");
}

function gptTypes(name: string, head: Buffer): string[] {
  const header = head.subarray(SECTOR_SIZE, 2 * SECTOR_SIZE);
  const headerSize = header.readUInt32LE(12);
  const signed = Buffer.from(header.subarray(0, Math.min(headerSize, SECTOR_SIZE)));
  signed.writeUInt32LE(0, 16); // the header's checksum is taken with its own field zero
  if (headerSize < 92 || crc32(signed) !== header.readUInt32LE(16)) {
    throw new Error(`'${name}' has a damaged GPT: the checksum of its header is wrong`);
  }
  const [first, count, entrySize] = [
    Number(header.readBigUInt64LE(72)),
    header.readUInt32LE(80),
    header.readUInt32LE(84),
  ];
  const entries = head.subarray(first * SECTOR_SIZE, first * SECTOR_SIZE + count * entrySize);
  if (entrySize < 128 || entries.length < count * entrySize) {
    throw new Error(`'${name}' has a GPT of ${count} entries at sector ${first}, at most 128 at sector 2 can be read`);
  }
  if (crc32(entries) !== header.readUInt32LE(88)) {
    throw new Error(`'${name}' has a damaged GPT: the checksum of its entries is wrong`);
  }
  const types = Array.from({ length: count }, (_, index) => guid(entries.subarray(index * entrySize)));
  return types.filter((type) => type !== "00000000-0000-0000-0000-000000000000");
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
