import * as fs from "node:fs";
import * as path from "node:path";
import { makeFolder as makeAnyFolder, onDisk as onAnyDisk, writeAndSync } from "../../process/on-disk";

const SAFE = "what was sealed before stands";

/** Does what writes a file of a secret. @throws with the reason in words where the operating system refuses it */
export function onDisk<T>(file: string, work: () => T): T {
  return onAnyDisk(file, work, SAFE);
}

/** @throws with the reason in words, see `onDisk` */
export function makeFolder(folder: string): void {
  makeAnyFolder(folder, SAFE);
}

/** Writes a file so that it is whole after a power cut. @throws with the reason in words, see `onDisk` */
export function writeDurably(file: string, content: string | Uint8Array): void {
  onDisk(file, () => writeAndSync(file, content));
}

/** Makes what was moved into a folder last through a power cut. */
export function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Moves a whole file into its place, over one that is there. */
export function moveInto(file: string, place: string): void {
  onDisk(place, () => besides(file, place, (near) => fs.renameSync(near, place)));
}

/**
 * Moves a whole file into its place where none is yet: link(2) fails if one has come since.
 * @throws with code EEXIST then
 */
export function moveIntoEmpty(file: string, place: string): void {
  onDisk(place, () => besides(file, place, (near) => linkOrRename(near, place)));
}

function linkOrRename(near: string, place: string): void {
  try {
    fs.linkSync(near, place);
    fs.rmSync(near);
  } catch (error) {
    if (!NO_HARD_LINKS.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    fs.renameSync(near, place); // exFAT and some network folders: here the secret's lock alone keeps others out
  }
}

const NO_HARD_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** The project's folder may lie on several file systems: then the file is copied beside its place first. */
function besides(file: string, place: string, move: (near: string) => void): void {
  try {
    move(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const near = path.join(path.dirname(place), `.${path.basename(file)}`);
    try {
      writeDurably(near, fs.readFileSync(file));
      move(near);
    } finally {
      fs.rmSync(near, { force: true });
    }
    fs.rmSync(file, { force: true });
  }
}
