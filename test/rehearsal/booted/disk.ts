import * as fs from "node:fs";
import { fixedVhdFooter } from "../../../components/image/disk/vhd-footer";
import { runChild } from "../../../components/process/child-process";
import { findPartition, partitionTable, sectorBytes } from "../partition-table";

const mebibyte = 1 << 20;
const diskBytes = 448 * mebibyte;
const efiPartition = { firstByte: mebibyte, bytes: 3 * mebibyte };
const rootPartition = { firstByte: 4 * mebibyte, bytes: diskBytes - 5 * mebibyte };

/** Makes a Gen2 disk as a fixed VHD of it: its ext4 root holds what `root` holds. Nothing is mounted. */
export async function makeDisk(root: string, vhd: string, uniqueId: Buffer): Promise<void> {
  const table = Buffer.alloc(diskBytes);
  partitionTable(table, [
    { type: "efi", ...efiPartition },
    { type: "linux", ...rootPartition },
  ]);
  fs.writeFileSync(vhd, table.subarray(0, mebibyte));
  fs.truncateSync(vhd, diskBytes);
  const place = [`offset=${rootPartition.firstByte}`, "lazy_itable_init=0", "lazy_journal_init=0"].join(",");
  const size = `${rootPartition.bytes / 1024}k`;
  const what = ["-q", "-t", "ext4", "-d", root, "-E", place, "-J", "size=8", "-m", "0", "-F", vhd, size];
  const { code, stderr } = await runChild("mke2fs", what);
  if (code !== 0) throw new Error(`mke2fs ended with ${code}: ${stderr.trim()}`);
  const descriptor = fs.openSync(vhd, "r+");
  try {
    const tail = table.subarray(-mebibyte);
    fs.writeSync(descriptor, tail, 0, tail.length, diskBytes - mebibyte);
    fs.writeSync(descriptor, fixedVhdFooter(diskBytes, uniqueId), 0, sectorBytes, diskBytes);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Mounts the root of a raw disk or fixed VHD. It is gone with the mount namespace. */
export async function mountRoot(disk: string, folder: string): Promise<void> {
  const head = Buffer.alloc(34 * sectorBytes);
  const descriptor = fs.openSync(disk, "r");
  try {
    fs.readSync(descriptor, head);
  } finally {
    fs.closeSync(descriptor);
  }
  const root = findPartition(head, "linux");
  if (!root) throw new Error(`'${disk}' has no Linux partition`);
  fs.mkdirSync(folder, { recursive: true });
  const options = `loop,offset=${root.firstByte},sizelimit=${root.bytes}`;
  const { code, stderr } = await runChild("mount", ["-t", "ext4", "-o", options, disk, folder]);
  if (code !== 0) throw new Error(`cannot mount the machine's disk: ${stderr.trim()}`);
}
