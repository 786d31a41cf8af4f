import { createCipheriv, createHash } from "node:crypto";
import * as fs from "node:fs";
import { fixedVhdFooter } from "../../../../components/image/disk/vhd-footer";
import { partitionTable } from "../../../rehearsal/partition-table";

export const MIB = 1024 * 1024;

export interface TestDisk {
  readonly mebibytes: number;
  /** Runs of data: where they begin and how long they are, in bytes. */
  readonly runs: readonly (readonly [start: number, length: number])[];
  readonly seed?: string;
  readonly type?: "efi" | "linux";
}

/** A generation 2 disk without its footer. */
export function rawDisk({ mebibytes, runs, seed = "disk", type = "efi" }: TestDisk): Buffer {
  const disk = Buffer.alloc(mebibytes * MIB);
  for (const [start, length] of runs) noise(`${seed} ${start}`, length).copy(disk, start);
  partitionTable(disk, [{ type, firstByte: MIB, bytes: MIB }]);
  return disk;
}

/** A fixed VHD. */
export function vhd(disk: TestDisk): Buffer {
  const raw = rawDisk(disk);
  return Buffer.concat([
    raw,
    fixedVhdFooter(
      raw.length,
      createHash("md5")
        .update(disk.seed ?? "disk")
        .digest(),
    ),
  ]);
}

/** Writes a file with holes where the content has zeros. */
export function writeSparse(file: string, content: Buffer): void {
  const zeros = Buffer.alloc(64 * 1024);
  const descriptor = fs.openSync(file, "w");
  fs.ftruncateSync(descriptor, content.length);
  for (let start = 0; start < content.length; start += zeros.length) {
    const block = content.subarray(start, start + zeros.length);
    if (!block.equals(zeros.subarray(0, block.length))) fs.writeSync(descriptor, block, 0, block.length, start);
  }
  fs.closeSync(descriptor);
}

/** Bytes without any zero sector, the same ones for the same seed. */
export function noise(seed: string, length: number): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}
