import { FOOTER_SIZE, isVhdFooter, SECTOR_SIZE, vhdDiskType } from "./vhd-footer";

/** What a disk file is, by its content. `unknown` is nothing that could be a disk. */
export type DiskFormat =
  | "fixed-vhd"
  | "dynamic-vhd"
  | "vhdx"
  | "qcow2"
  | "vmdk"
  | "zstd"
  | "gzip"
  | "xz"
  | "raw"
  | "unknown";

const signatures: readonly [format: DiskFormat, bytes: Buffer][] = [
  ["qcow2", Buffer.from("QFI\xfb", "latin1")],
  ["vhdx", Buffer.from("vhdxfile", "latin1")],
  ["vmdk", Buffer.from("KDMV", "latin1")],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["zstd", Buffer.from([0x50, 0x2a, 0x4d, 0x18])], // a frame to be skipped, with which pzstd begins
  ["gzip", Buffer.from([0x1f, 0x8b])],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
];

/**
 * Recognises a disk file.
 * @param head its first 1,024 bytes or more, as far as it has them
 * @param tail its last 512 bytes
 */
export function diskFormat(head: Buffer, tail: Buffer): DiskFormat {
  if (tail.length === FOOTER_SIZE && isVhdFooter(tail)) {
    const type = vhdDiskType(tail);
    return type === "dynamic" || type === "differencing" ? "dynamic-vhd" : "fixed-vhd";
  }
  for (const [format, bytes] of signatures) {
    if (head.subarray(0, bytes.length).equals(bytes)) return format;
  }
  const hasBootSignature = head.length >= SECTOR_SIZE && head.readUInt16LE(510) === 0xaa55;
  return hasBootSignature ? "raw" : "unknown";
}

/** What to type to turn a file of another format into a raw disk, which is then uploaded as a fixed VHD. */
export function conversionOffer(file: string, format: DiskFormat): string {
  const raw = `${file.replace(/\.(qcow2|vhdx|vmdk|vhd|img|raw|gz|xz)$/i, "")}.raw`;
  const names: Partial<Record<DiskFormat, string>> = {
    "dynamic-vhd": "vpc",
    gzip: "gzip",
    qcow2: "qcow2",
    vhdx: "vhdx",
    vmdk: "vmdk",
    xz: "xz",
  };
  const name = names[format];
  if (!name) return `'${file}' is no disk: give a fixed VHD, a raw disk, or a VHD compressed by zstd`;
  const command =
    name === "gzip" || name === "xz"
      ? `${name} --decompress --keep ${quote(file)}`
      : `qemu-img convert -f ${name} -O raw ${quote(file)} ${quote(raw)}`;
  const result = name === "gzip" || name === "xz" ? "the unpacked file" : `'${raw}'`;
  return `'${file}' is ${format}, which Azure cannot take: type \`${command}\` and set image.vhd to ${result}`;
}

/** A word for a POSIX shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
