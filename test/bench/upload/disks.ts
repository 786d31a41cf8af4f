import { execFileSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { FOOTER_SIZE, fixedVhdFooter } from "../../../components/image/disk/vhd-footer";
import { partitionTable } from "../../rehearsal/partition-table";

const MIB = 1024 * 1024;
/** First and last MiB of a disk: partition tables. */
const EDGE = MIB;

/** One of the disks that are uploaded side by side. */
export interface BenchDisk {
  readonly name: "scattered" | "ext4" | "full" | "empty";
  readonly describe: string;
  readonly diskBytes: number;
  /** Fills the disk between its partition tables. */
  readonly fill: (file: string, disk: BenchDisk) => void;
}

export const benchDisks: readonly BenchDisk[] = [
  { name: "scattered", describe: "2 GiB, 300 runs of 1 MiB", diskBytes: 2048 * MIB, fill: fillScattered },
  { name: "ext4", describe: "2 GiB, ext4 with 400 MiB in 3,000 files", diskBytes: 2048 * MIB, fill: fillExt4 },
  { name: "full", describe: "1 GiB, no zeros", diskBytes: 1024 * MIB, fill: fillFull },
  { name: "empty", describe: "2 GiB, 1 MiB of data", diskBytes: 2048 * MIB, fill: fillEmpty },
];

/** Makes a disk as a fixed VHD; the same one each time. */
export function makeDisk(disk: BenchDisk, folder: string): string {
  const file = path.join(folder, `${disk.name}.vhd`);
  fs.writeFileSync(file, "");
  fs.truncateSync(file, disk.diskBytes + FOOTER_SIZE);
  disk.fill(file, disk);
  const tables = Buffer.alloc(disk.diskBytes); // only the pages that are written to take memory
  partitionTable(tables, [
    { type: "efi", firstByte: EDGE, bytes: EDGE },
    { type: "linux", firstByte: 2 * EDGE, bytes: disk.diskBytes - 3 * EDGE },
  ]);
  write(file, (descriptor) => {
    fs.writeSync(descriptor, tables.subarray(0, 64 * 1024), 0, 64 * 1024, 0);
    fs.writeSync(descriptor, tables.subarray(-64 * 1024), 0, 64 * 1024, disk.diskBytes - 64 * 1024);
    fs.writeSync(descriptor, fixedVhdFooter(disk.diskBytes, Buffer.from(disk.name)), 0, FOOTER_SIZE, disk.diskBytes);
  });
  return file;
}

function fillScattered(file: string, { diskBytes }: BenchDisk): void {
  const random = randomNumbers("scattered");
  write(file, (descriptor) => {
    for (let run = 0; run < 300; run++) {
      const place = EDGE + Math.floor(random() * ((diskBytes - 3 * EDGE) / 512)) * 512; // anywhere, on a sector
      fs.writeSync(descriptor, randomBytes(`run ${run}`, MIB), 0, MIB, place);
    }
  });
}

function fillFull(file: string, { diskBytes }: BenchDisk): void {
  write(file, (descriptor) => {
    const block = randomBytes("full", 16 * MIB);
    for (let place = 0; place < diskBytes; place += block.length) {
      block.writeUInt32LE(place / MIB, 0);
      fs.writeSync(descriptor, block, 0, block.length, place);
    }
  });
}

function fillEmpty(file: string): void {
  write(file, (descriptor) => fs.writeSync(descriptor, randomBytes("empty", MIB), 0, MIB, 2 * EDGE));
}

/** A file system as an image builder makes it: many small files, most of the bytes in few large ones. */
function fillExt4(file: string, { diskBytes }: BenchDisk): void {
  const tree = fs.mkdtempSync(path.join(path.dirname(file), "tree-"));
  const random = randomNumbers("ext4");
  const content = randomBytes("ext4", 24 * MIB);
  for (let index = 0, left = 400 * MIB; left > 0; index++) {
    const size = Math.min(left, content.length - MIB, Math.ceil(16_384 * Math.exp(2 * normal(random)))); // median 16 KiB
    const folder = path.join(tree, `${index % 60}`);
    fs.mkdirSync(folder, { recursive: true });
    const start = Math.floor(random() * MIB);
    fs.writeFileSync(path.join(folder, `${index}`), content.subarray(start, start + size));
    left -= size;
  }
  const partition = `${diskBytes / 1024 - 3 * 1024}k`;
  execFileSync("mkfs.ext4", ["-q", "-F", "-d", tree, "-E", `offset=${2 * EDGE}`, file, partition], { stdio: "pipe" });
  fs.rmSync(tree, { recursive: true });
}

function write(file: string, fill: (descriptor: number) => void): void {
  const descriptor = fs.openSync(file, "r+");
  fill(descriptor);
  fs.closeSync(descriptor);
}

/** Bytes without zero sectors, the same ones for the same seed. */
function randomBytes(seed: string, size: number): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Numbers from 0 to 1, the same ones for the same seed. */
function randomNumbers(seed: string): () => number {
  let count = 0;
  return () => createHash("sha256").update(`${seed} ${count++}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** Standard normal (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
