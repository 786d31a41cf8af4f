import { FOOTER_SIZE, isVhdFooter, SECTOR_SIZE, vhdDiskType } from "./vhd-footer";

/** What else a disk file may be: a format of another virtualizer, or something that a disk is packed in. */
const SIGNATURES = [
  ["qcow2", 0, Buffer.from("QFI\xfb", "latin1")],
  ["vhdx", 0, Buffer.from("vhdxfile")],
  ["vmdk", 0, Buffer.from("KDMV")],
  ["vmdk", 0, Buffer.from("# Disk DescriptorFile")],
  ["vdi", 64, Buffer.from([0x7f, 0x10, 0xda, 0xbe])],
  ["zstd", 0, Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["zstd", 0, Buffer.from([0x50, 0x2a, 0x4d, 0x18])], // a frame to be skipped, with which pzstd begins
  ["gzip", 0, Buffer.from([0x1f, 0x8b])],
  ["xz", 0, Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ["bzip2", 0, Buffer.from("BZh")],
  ["lz4", 0, Buffer.from([0x04, 0x22, 0x4d, 0x18])],
  ["zip", 0, Buffer.from("PK\x03\x04")],
  ["7z", 0, Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])],
  ["tar", 257, Buffer.from("ustar")],
] as const;

/** What a disk file is, by its content. `unknown` is nothing that could be a disk. */
export type DiskFormat =
  | (typeof SIGNATURES)[number][0]
  | "fixed-vhd"
  | "dynamic-vhd"
  | "differencing-vhd"
  | "raw"
  | "unknown";

/**
 * Recognises a disk file.
 * @param head its first 1,024 bytes or more, as far as it has them
 * @param tail its last 512 bytes
 */
export function diskFormat(head: Buffer, tail: Buffer): DiskFormat {
  if (tail.length === FOOTER_SIZE && isVhdFooter(tail)) {
    const type = vhdDiskType(tail);
    return type === "dynamic" || type === "differencing" ? `${type}-vhd` : "fixed-vhd";
  }
  for (const [format, offset, bytes] of SIGNATURES) {
    if (head.subarray(offset, offset + bytes.length).equals(bytes)) return format;
  }
  const hasBootSignature = head.length >= SECTOR_SIZE && head.readUInt16LE(510) === 0xaa55;
  return hasBootSignature ? "raw" : "unknown";
}

/** What to type to turn a file of another format into a raw disk, which is then uploaded as a fixed VHD. */
export function conversionOffer(file: string, format: DiskFormat): string {
  const raw = `${file.replace(/\.(qcow2|vhdx|vmdk|vdi|vhd|img|raw|gz|xz|bz2|lz4)$/i, "")}.raw`;
  const unpacked = "the unpacked file";
  const way = (command: string, result: string): string =>
    `'${file}' is ${format}, which Azure cannot take: type \`${command}\` and set image.vhd to ${result}`;
  switch (format) {
    case "dynamic-vhd":
    case "qcow2":
    case "vdi":
    case "vhdx":
    case "vmdk":
      return way(`qemu-img convert -f ${QEMU[format]} -O raw ${quote(file)} ${quote(raw)}`, `'${raw}'`);
    case "differencing-vhd":
      // The parent is needed, and only Windows knows where it lies.
      return way(`Convert-VHD -Path ${quote(file)} -DestinationPath whole.vhd -VHDType Fixed`, "'whole.vhd'");
    case "bzip2":
    case "gzip":
    case "xz":
      return way(`${format} --decompress --keep ${quote(file)}`, unpacked);
    case "lz4":
      return way(`lz4 -d ${quote(file)} ${quote(raw)}`, `'${raw}'`);
    case "zip":
      return way(`unzip ${quote(file)}`, unpacked);
    case "7z":
      return way(`7z x ${quote(file)}`, unpacked);
    case "tar":
      return way(`tar --extract --file ${quote(file)}`, unpacked);
    default:
      return `'${file}' is no disk: give a fixed VHD, a raw disk, or a VHD compressed by zstd`;
  }
}

/** qemu-img's names of formats. */
const QEMU = { "dynamic-vhd": "vpc", qcow2: "qcow2", vdi: "vdi", vhdx: "vhdx", vmdk: "vmdk" } as const;

/** A word for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
