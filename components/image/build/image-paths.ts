import * as fs from "node:fs";
import { runNix } from "../../process/nix";
import { readIfThere } from "../../process/read-if-there";
import { guestFolder } from "../guest-folder";
import { pathsOf } from "../image";
import type { BuildRequest } from "./build-disk";
import { diskLink } from "./disk-link";
import { systemOf } from "./facts-file";

/**
 * Notes which store paths a disk has, for the upload: of one that Nix has built here by asking it, of any other where
 * `DISK.paths` lies beside it, one path a line.
 */
export async function notePaths({ builder, digest, facts, stack }: BuildRequest, disk: string): Promise<void> {
  const found = builder === "nix" ? await pathsInStore(stack, systemOf(facts)) : readIfThere(pathsOf(disk));
  if (found === undefined) return;
  fs.mkdirSync(ROOT, { recursive: true });
  fs.writeFileSync(notesOf(stack, digest), found);
}

/** What was noted of the disk of this digest. */
export function notedPaths(stack: string, digest: string): Buffer | undefined {
  return readIfThere(notesOf(stack, digest));
}

const ROOT = ".cache/image-paths";

function notesOf(stack: string, digest: string): string {
  return pathsOf(`${ROOT}/${diskLink(stack, digest).split("/").at(-1)}`);
}

/** Undefined where a remote builder kept them: all is sent then, once. */
async function pathsInStore(stack: string, system: string): Promise<Buffer | undefined> {
  const target = `path:./${guestFolder(stack)}#packages.${system}.system-${stack}`;
  const { code, stdout } = await runNix(["path-info", "--recursive", target]);
  return code === 0 ? stdout : undefined;
}
