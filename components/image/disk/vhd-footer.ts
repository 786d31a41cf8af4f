/**
 * The 512-byte footer of a fixed VHD, as in Microsoft's "Virtual Hard Disk Image Format Specification" 1.0. Azure takes
 * fixed VHDs whose disk is a whole number of MiB
 * (https://learn.microsoft.com/azure/virtual-machines/windows/prepare-for-upload-vhd-image).
 */
export const FOOTER_SIZE = 512;
/** Azure's unit of a disk's size, in bytes. */
export const DISK_UNIT = 1024 * 1024;
export const SECTOR_SIZE = 512;

const COOKIE = "conectix";
const FORMAT_VERSION = 0x00010000;
/** The "reserved" feature bit, which the specification wants set. */
const FEATURES = 2;
const NO_DATA_OFFSET = 0xffffffffffffffffn;
const DISK_TYPES = new Map([
  [2, "fixed"],
  [3, "dynamic"],
  [4, "differencing"],
]);

/** Where the fields lie, in bytes. Numbers are big-endian. */
const FIELD = {
  features: 8,
  formatVersion: 12,
  dataOffset: 16,
  timestamp: 24,
  creatorApplication: 28,
  creatorVersion: 32,
  creatorHost: 36,
  originalSize: 40,
  currentSize: 48,
  cylinders: 56,
  heads: 58,
  sectorsPerTrack: 59,
  diskType: 60,
  checksum: 64,
  uniqueId: 68,
} as const;

/** Whether these 512 bytes are meant as a VHD's footer, intact or not. */
export function isVhdFooter(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, COOKIE.length) === COOKIE;
}

/** `fixed`, `dynamic`, `differencing`, or undefined where the footer says none of them. */
export function vhdDiskType(footer: Buffer): string | undefined {
  return DISK_TYPES.get(footer.readUInt32BE(FIELD.diskType));
}

/**
 * Checks the footer of a fixed VHD file of `fileSize` bytes.
 * @throws an error that begins with `name` and says what is wrong with the footer or the size
 */
export function checkFixedVhd(name: string, footer: Buffer, fileSize: number): void {
  const fail = (problem: string): never => {
    throw new Error(`'${name}' ${problem}`);
  };
  if (footer.length !== FOOTER_SIZE || !isVhdFooter(footer)) fail("has no VHD footer in its last 512 bytes");
  const stored = footer.readUInt32BE(FIELD.checksum);
  const computed = checksum(footer);
  if (stored !== computed) {
    fail(`has a damaged VHD footer: its checksum is ${hex(stored)}, its content gives ${hex(computed)}`);
  }
  const version = footer.readUInt32BE(FIELD.formatVersion);
  if (version !== FORMAT_VERSION) fail(`has VHD format version ${hex(version)}, only ${hex(FORMAT_VERSION)} is known`);
  const type = vhdDiskType(footer);
  if (type !== "fixed") fail(`is a ${type ?? "VHD of an unknown type"}${type ? " VHD" : ""}, Azure takes fixed VHDs`);
  const diskSize = fileSize - FOOTER_SIZE;
  const currentSize = Number(footer.readBigUInt64BE(FIELD.currentSize));
  if (currentSize !== diskSize) {
    fail(`has ${diskSize} bytes before its footer, which says ${currentSize}: the file is cut or was appended to`);
  }
  if (diskSize === 0 || diskSize % DISK_UNIT !== 0) {
    fail(`has a disk of ${diskSize} bytes, Azure takes whole MiB: the next is ${wholeUnits(diskSize)} bytes`);
  }
}

/** A disk's size in bytes, rounded up to what Azure takes. */
export function wholeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / DISK_UNIT)) * DISK_UNIT;
}

/**
 * The footer of a fixed VHD around a disk of `diskSize` bytes.
 * @param uniqueId 16 bytes; the same ones for the same content, so that the file is reproducible
 */
export function fixedVhdFooter(diskSize: number, uniqueId: Uint8Array): Buffer {
  const footer = Buffer.alloc(FOOTER_SIZE);
  footer.write(COOKIE, "latin1");
  footer.writeUInt32BE(FEATURES, FIELD.features);
  footer.writeUInt32BE(FORMAT_VERSION, FIELD.formatVersion);
  footer.writeBigUInt64BE(NO_DATA_OFFSET, FIELD.dataOffset);
  footer.writeUInt32BE(0, FIELD.timestamp); // 2000-01-01: no clock in a reproducible file
  footer.write("win ", FIELD.creatorApplication, "latin1"); // readers then take the size below, not the geometry
  footer.writeUInt32BE(0x000a0000, FIELD.creatorVersion);
  footer.write("Wi2k", FIELD.creatorHost, "latin1");
  footer.writeBigUInt64BE(BigInt(diskSize), FIELD.originalSize);
  footer.writeBigUInt64BE(BigInt(diskSize), FIELD.currentSize);
  const { cylinders, heads, sectorsPerTrack } = geometry(diskSize / SECTOR_SIZE);
  footer.writeUInt16BE(cylinders, FIELD.cylinders);
  footer.writeUInt8(heads, FIELD.heads);
  footer.writeUInt8(sectorsPerTrack, FIELD.sectorsPerTrack);
  footer.writeUInt32BE(2, FIELD.diskType);
  footer.set(uniqueId.subarray(0, 16), FIELD.uniqueId);
  footer.writeUInt32BE(checksum(footer), FIELD.checksum);
  return footer;
}

/** The one's complement of the sum of all bytes but the checksum's own. */
function checksum(footer: Buffer): number {
  const sum = footer.reduce((total, byte) => total + byte, 0);
  const own = footer.subarray(FIELD.checksum, FIELD.checksum + 4).reduce((total, byte) => total + byte, 0);
  return ~(sum - own) >>> 0;
}

/** Cylinders, heads and sectors of a disk: the specification's appendix "CHS Calculation". */
function geometry(totalSectors: number): { cylinders: number; heads: number; sectorsPerTrack: number } {
  const sectors = Math.min(totalSectors, 65535 * 16 * 255);
  if (sectors >= 65535 * 16 * 63) {
    return { cylinders: Math.floor(sectors / (16 * 255)), heads: 16, sectorsPerTrack: 255 };
  }
  let sectorsPerTrack = 17;
  let tracks = Math.floor(sectors / sectorsPerTrack);
  let heads = Math.max(4, Math.ceil(tracks / 1024));
  if (tracks >= heads * 1024 || heads > 16) {
    [sectorsPerTrack, heads] = [31, 16];
    tracks = Math.floor(sectors / sectorsPerTrack);
  }
  if (tracks >= heads * 1024) {
    [sectorsPerTrack, heads] = [63, 16];
    tracks = Math.floor(sectors / sectorsPerTrack);
  }
  return { cylinders: Math.floor(tracks / heads), heads, sectorsPerTrack };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
