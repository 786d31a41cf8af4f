import * as fs from "node:fs";
import * as path from "node:path";
import { quote } from "./disk-format";

/** How a disk's file is usually called. */
export const DISK_NAME = /\.(vhd|vhd\.zst|img|raw)$/i;
const SET = "type `pulumi config set --path sealed-onion:image.vhd FILE`";

/**
 * Checks that there is an ordinary file to read: nothing else can be read twice, from any place.
 * @returns its size in bytes
 * @throws with what is there instead, and what to type
 */
export function checkDiskFile(file: string): number {
  try {
    const stat = fs.statSync(file);
    if (stat.isFile()) return openable(file, stat.size);
    throw new Error(stat.isDirectory() ? inFolder(file) : special(file, stat));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(`cannot read the disk '${file}': ${reason(file, code)}`);
  }
}

function openable(file: string, size: number): number {
  fs.accessSync(file, fs.constants.R_OK);
  return size;
}

function reason(file: string, code: string): string {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `there is no such file: build or copy it, or ${SET}`;
    case "EACCES":
    case "EPERM":
      return `you may not: type \`chmod u+r ${quote(file)}\` as its owner`;
    case "ELOOP":
      return `its link leads to itself: ${SET}`;
    default:
      return `${code}: ${SET}`;
  }
}

/** As Nix's `result`, which holds the disk. */
function inFolder(folder: string): string {
  const [disk, ...others] = fs.readdirSync(folder).filter((name) => DISK_NAME.test(name));
  const named = disk && others.length === 0 ? quote(path.join(folder, disk)) : "FILE";
  return `the disk '${folder}' is a folder: type \`pulumi config set --path sealed-onion:image.vhd ${named}\``;
}

function special(file: string, stat: fs.Stats): string {
  const kind = stat.isFIFO() ? "pipe" : stat.isSocket() ? "socket" : "device";
  return `the disk '${file}' is a ${kind}, no file: type \`dd if=${quote(file)} of=disk.raw bs=4M\` and set image.vhd to 'disk.raw'`;
}
