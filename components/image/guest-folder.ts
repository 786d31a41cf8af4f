import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { guestOverlay, isShipped, packageFolder } from "../config/project";
import { stackFolder } from "../config/stack-folder";
import { readTree, treeParts } from "./guest-tree";

/** The guest as the package has it; in a checkout the project's own. */
const guest = () => path.join(packageFolder(), "nix");

/** What the guest is made of, a project's overlay among it. */
export interface Guest {
  /** SHA-256 (hex) of all of it. */
  readonly digest: string;
  /** Its parts, each with its digest: what a disk says of itself. */
  readonly parts: Readonly<Record<string, string>>;
}

/** Reads the guest once. Nothing is written. @throws if a file cannot be read */
export function readGuest(): Guest {
  const overlay = isShipped && fs.existsSync(guestOverlay()) ? [guestOverlay()] : [];
  const trees = [guest(), ...overlay].map(readTree);
  const digests = trees.map(({ digest }) => digest).join(" ");
  const digest = trees.length === 1 ? digests : createHash("sha256").update(digests).digest("hex");
  return { digest, parts: treeParts(trees) };
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
