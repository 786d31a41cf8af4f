import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { fixedVhdFooter } from "../../components/image/disk/vhd-footer";
import type { Facts } from "../../components/stack/facts";
import { DISK_BYTES, writeGuestDisk } from "./guest-disk";

/** Makes the small disk that stands for a stack's image. @returns the path of the VHD */
export function makeGuestImage(stack: string, stackDirectory: string): string {
  const { frontEnd, secrets }: Facts = JSON.parse(fs.readFileSync(path.join(stackDirectory, "facts.json"), "utf8"));
  const files = Object.values(secrets).map(({ sealedFile }) => sealedFile);
  const sealed = frontEnd && { directory: path.join(stackDirectory, "..", frontEnd.of), files };
  const disk = writeGuestDisk(stackDirectory, sealed);
  const uniqueId = createHash("sha256").update(disk).digest().subarray(0, 16);
  const vhd = path.resolve(".cache", "rehearsal", `${stack}.vhd`);
  fs.mkdirSync(path.dirname(vhd), { recursive: true });
  fs.writeFileSync(vhd, Buffer.concat([disk, fixedVhdFooter(DISK_BYTES, uniqueId)]));
  return vhd;
}
