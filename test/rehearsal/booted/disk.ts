import * as fs from "node:fs";
import { fixedVhdFooter } from "../../../components/image/disk/vhd-footer";
import { runChild } from "../../../components/process/child-process";
import { findPartition, partitionTable, SECTOR_BYTES } from "../partition-table";
import { succeed } from "./succeed";

const MEBIBYTE = 1 << 20;
const DISK_BYTES = 448 * MEBIBYTE;
const EFI_PARTITION = { firstByte: MEBIBYTE, bytes: 3 * MEBIBYTE };
const ROOT_PARTITION = { firstByte: 4 * MEBIBYTE, bytes: DISK_BYTES - 5 * MEBIBYTE };

/** Makes a raw disk of Azure's second generation: its ext4 root holds what `root` holds. Nothing is mounted. */
export async function makeDisk(root: string, file: string): Promise<void> {
  const table = Buffer.alloc(DISK_BYTES);
  partitionTable(table, [
    { type: "efi", ...EFI_PARTITION },
    { type: "linux", ...ROOT_PARTITION },
  ]);
  fs.writeFileSync(file, table.subarray(0, MEBIBYTE));
  fs.truncateSync(file, DISK_BYTES);
  const place = [`offset=${ROOT_PARTITION.firstByte}`, "lazy_itable_init=0", "lazy_journal_init=0"].join(",");
  const size = `${ROOT_PARTITION.bytes / 1024}k`;
  const what = ["-q", "-t", "ext4", "-d", root, "-E", place, "-J", "size=8", "-m", "0", "-F", file, size];
  const { code, stderr } = await runChild("mke2fs", what);
  if (code !== 0) throw new Error(`mke2fs ended with ${code}: ${stderr.trim()}`);
  writeAt(file, DISK_BYTES - MEBIBYTE, table.subarray(-MEBIBYTE));
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
  writeAt(vhd, DISK_BYTES, fixedVhdFooter(DISK_BYTES, uniqueId));
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
  const head = Buffer.alloc(34 * SECTOR_BYTES);
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
