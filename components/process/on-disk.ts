import * as fs from "node:fs";
import { refusalOf } from "./words";

/**
 * Does what writes a file.
 * @param safe what stands all the same, for people
 * @throws with the file and the reason in words where the operating system refuses it
 */
export function onDisk<T>(file: string, work: () => T, safe = "nothing is half-written"): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "EEXIST" || code === "EXDEV" ? undefined : refusalOf(error); // what callers ask for
    if (reason === undefined) throw error;
    throw new Error(`cannot write ${file}, ${reason}, then run this again (${safe})`);
  }
}

/** @throws with the reason in words, see `onDisk` */
export function makeFolder(folder: string, safe?: string): void {
  onDisk(folder, () => fs.mkdirSync(folder, { recursive: true }), safe);
}
