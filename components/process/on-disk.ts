import * as fs from "node:fs";
import * as path from "node:path";
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

/**
 * Makes a folder and those above it, unless they are there. Node's own `mkdir -p` tries for ever, at full speed, where
 * the working folder was deleted and the path is relative; a program whose project is gone is to end instead.
 * @throws with the reason in words, see `onDisk`
 */
export function makeFolder(folder: string, safe?: string): void {
  const working = workingFolder();
  if (working === undefined) {
    throw new Error("the folder that this program works in was deleted: start it again in one that is there");
  }
  onDisk(folder, () => fs.mkdirSync(path.resolve(working, folder), { recursive: true }), safe);
}

/** Node remembers its name, also when it is gone. */
function workingFolder(): string | undefined {
  try {
    const folder = process.cwd();
    return fs.existsSync(folder) ? folder : undefined;
  } catch {
    return undefined; // gone before Node asked for it
  }
}

/** Writes a file so that it is whole after a power cut, once it has returned. @throws the file system's own error */
export function writeAndSync(file: string, content: string | Uint8Array): void {
  const descriptor = fs.openSync(file, "w", 0o644);
  try {
    fs.writeFileSync(descriptor, content);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
