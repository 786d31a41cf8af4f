import * as fs from "node:fs";
import * as path from "node:path";
import { fixedVhdFooter } from "../image/vhd";
import { diskBytes, writeGuestDisk } from "./guest-disk";

/** A program for `image.builder`: reads STACK and STACK_DIRECTORY, prints the path of the VHD that it made. */
const { STACK: stack, STACK_DIRECTORY: stackDirectory } = process.env;
if (!stack || !stackDirectory) throw new Error("STACK and STACK_DIRECTORY are not set: name this in image.builder");
const vhd = path.resolve(".cache", "rehearsal", `${stack}.vhd`);
fs.mkdirSync(path.dirname(vhd), { recursive: true });
fs.writeFileSync(vhd, Buffer.concat([writeGuestDisk(stackDirectory), fixedVhdFooter(diskBytes)]));
console.log(vhd);
