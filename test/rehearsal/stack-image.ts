import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { fixedVhdFooter } from "../../components/image/disk/vhd-footer";
import { diskBytes, writeGuestDisk } from "./guest-disk";

/** A program for `image.builder`: reads STACK and STACK_DIRECTORY, prints the path of the VHD that it made. */
const { STACK: stack, STACK_DIRECTORY: stackDirectory } = process.env;
if (!stack || !stackDirectory) throw new Error("STACK and STACK_DIRECTORY are not set: name this in image.builder");
const disk = writeGuestDisk(stackDirectory);
const uniqueId = createHash("sha256").update(disk).digest().subarray(0, 16);
const vhd = path.resolve(".cache", "rehearsal", `${stack}.vhd`);
fs.mkdirSync(path.dirname(vhd), { recursive: true });
fs.writeFileSync(vhd, Buffer.concat([disk, fixedVhdFooter(diskBytes, uniqueId)]));
console.log(vhd);
