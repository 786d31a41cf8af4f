import * as fs from "node:fs";
import * as path from "node:path";
import { imageNames, isImageBlobOf } from "../image";

/** Where what Nix built is kept from its garbage collection, as links that Nix knows as roots. */
const ROOTS = path.join(".cache", "images");

/** The link to an image's build: one for each content, as an upload may need an earlier one again. */
export function diskLink(stack: string, digest: string): string {
  return path.join(ROOTS, imageNames(stack, digest).image);
}

/** Removes the links to a stack's other builds, which nobody needs once this one is uploaded: Nix may collect them. */
export function dropOtherLinks(stack: string, digest: string): void {
  if (!fs.existsSync(ROOTS)) return;
  const { image } = imageNames(stack, digest);
  const others = fs.readdirSync(ROOTS).filter((name) => name !== image && isImageBlobOf(stack, `${name}.vhd`));
  for (const name of others) fs.rmSync(path.join(ROOTS, name));
}
