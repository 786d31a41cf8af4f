import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { guestOverlay, isShipped, packageFolder } from "../config/project";
import { stackFolder } from "../config/stack-folder";
import { nixTreeDigest, treeParts } from "./guest-tree";

/** The guest as the package has it; in a checkout the project's own. */
const guest = () => path.join(packageFolder(), "nix");

/** The digest of what the guest is made of, a project's overlay among it. Nothing is written. */
export function guestDigest(): string {
  const own = nixTreeDigest(guest());
  if (!isShipped || !fs.existsSync(guestOverlay())) return own;
  return createHash("sha256")
    .update(`${own} ${nixTreeDigest(guestOverlay())}`)
    .digest("hex");
}

/** Of what parts the guest is made, each with its digest: what a disk says of itself. Nothing is written. */
export function guestParts(): Record<string, string> {
  const overlay = isShipped && fs.existsSync(guestOverlay()) ? [guestOverlay()] : [];
  return treeParts([guest(), ...overlay]);
}

/**
 * The folder of the flake that makes a stack's machine. In a checkout that is `nix`; elsewhere it is put together from
 * the package's guest, the project's overlay and the stack's sealed files, as a flake sees its own folder alone.
 */
export function guestFolder(stack: string): string {
  if (!isShipped) return guest();
  const folder = path.join(".cache", "sealed-onion", `guest-${stack}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(guest(), folder, { recursive: true, dereference: true });
  if (fs.existsSync(guestOverlay())) fs.cpSync(guestOverlay(), folder, { recursive: true });
  fs.cpSync(stackFolder(stack), path.join(folder, "stacks", stack), { recursive: true });
  return folder;
}
