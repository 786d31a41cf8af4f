import * as fs from "node:fs";
import { fixedVhdFooter } from "../../../components/image/disk/vhd-footer";
import { runChild } from "../../../components/process/child-process";
import { findPartition, partitionTable, sectorBytes } from "../partition-table";
import { succeed } from "./succeed";

const mebibyte = 1 << 20;
const diskBytes = 448 * mebibyte;
const efiPartition = { firstByte: mebibyte, bytes: 3 * mebibyte };
const rootPartition = { firstByte: 4 * mebibyte, bytes: diskBytes - 5 * mebibyte };

/** Makes a raw disk of Azure's second generation: its ext4 root holds what `root` holds. Nothing is mounted. */
export async function makeDisk(root: string, file: string): Promise<void> {
  const table = Buffer.alloc(diskBytes);
  partitionTable(table, [
    { type: "efi", ...efiPartition },
    { type: "linux", ...rootPartition },
  ]);
  fs.writeFileSync(file, table.subarray(0, mebibyte));
  fs.truncateSync(file, diskBytes);
  const place = [`offset=${rootPartition.firstByte}`, "lazy_itable_init=0", "lazy_journal_init=0"].join(",");
  const size = `${rootPartition.bytes / 1024}k`;
  const what = ["-q", "-t", "ext4", "-d", root, "-E", place, "-J", "size=8", "-m", "0", "-F", file, size];
  const { code, stderr } = await runChild("mke2fs", what);
  if (code !== 0) throw new Error(`mke2fs ended with ${code}: ${stderr.trim()}`);
  writeAt(file, diskBytes - mebibyte, table.subarray(-mebibyte));
}

/** A disk as a fixed VHD, with what `change` writes below its mounted root. @param uniqueId 16 bytes */
export async function changedVhd(
  disk: string,
  vhd: string,
  uniqueId: Buffer,
  change: (root: string) => Promise<void>,
): Promise<void> {
  await succeed("cp", ["--sparse=always", disk, vhd]);
  const root = `${vhd}.root`;
  await mountRoot(vhd, root);
  try {
    await change(root);
  } finally {
    await succeed("umount", [root]);
  }
  fs.rmdirSync(root);
  writeAt(vhd, diskBytes, fixedVhdFooter(diskBytes, uniqueId));
}

function writeAt(file: string, position: number, bytes: Uint8Array): void {
  const descriptor = fs.openSync(file, "r+");
  try {
    fs.writeSync(descriptor, bytes, 0, bytes.length, position);
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
