import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { findPartition, SECTOR_BYTES } from "../partition-table";

/** In a NixOS image the facts and the sealed files are store paths of their own. */
const WANTED = /^[a-z0-9]{32}-(facts\.json|[a-z0-9-]+\.sops\.json)$/;
const STORE = "/nix/store";

/**
 * Takes the facts and the sealed files out of a disk that Nix has built: out of its ext4 root, by debugfs, with no
 * mount and no root right.
 *
 * @param disk a raw disk with a GUID partition table, as a file
 * @param folder where the files go, under their own names
 */
export function readNixDisk(disk: string, folder: string): void {
  const root = findPartition(headOf(disk), "linux");
  if (!root) throw new Error(`'${disk}' has no Linux partition`);
  const ask = (request: string) =>
    execFileSync("debugfs", ["-R", request, `${disk}?offset=${root.firstByte}`], {
      encoding: "utf8",
      maxBuffer: 64 << 20,
      stdio: ["ignore", "pipe", "ignore"],
    });
  // `ls -p` prints /INODE/MODE/UID/GID/NAME/SIZE/ (debugfs(8)).
  const names = ask(`ls -p ${STORE}`)
    .split("\n")
    .flatMap((line) => line.split("/")[5] ?? []);
  for (const name of names) {
    const own = WANTED.exec(name)?.[1];
    if (own) ask(`dump "${STORE}/${name}" "${path.join(folder, own)}"`);
  }
}

function headOf(disk: string): Buffer {
  const head = Buffer.alloc(34 * SECTOR_BYTES);
  const descriptor = fs.openSync(disk, "r");
  try {
    fs.readSync(descriptor, head, 0, head.length, 0);
  } finally {
    fs.closeSync(descriptor);
  }
  return head;
}
