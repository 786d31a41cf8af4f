import * as fs from "node:fs";
import * as path from "node:path";
import { fileProblem, SourceError } from "./source-error";

/**
 * The content of a `file` source, byte for byte. What is checked is what is read: the open file, not the path.
 * @param file relative to the project's folder, which is the working directory
 * @throws SourceError if it is missing, no regular file, unreadable, readable by everybody, or empty
 */
export function readSourceFile(file: string): Buffer {
  const descriptor = open(file);
  try {
    const { mode, size } = checked(file, fs.fstatSync(descriptor));
    if ((mode & 0o004) !== 0) {
      const octal = (mode & 0o7777).toString(8).padStart(4, "0");
      throw new SourceError(`source file:${file} is readable by everybody (mode ${octal}): chmod o-rwx ${file}`);
    }
    if (size === 0) throw new SourceError(`source file:${file} is empty: write the secret into it`);
    return fs.readFileSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function open(file: string): number {
  try {
    // O_NONBLOCK: a pipe in the file's place is refused below, not waited for.
    return fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = absent
      ? `does not exist (looked at ${path.resolve(file)})`
      : `cannot be read: ${fileProblem(error)}`;
    throw new SourceError(`source file:${file} ${reason}: create it, or change the secret's source`, absent);
  }
}

function checked(file: string, stats: fs.Stats): fs.Stats {
  if (stats.isFile()) return stats;
  const what = stats.isDirectory() ? "a directory" : "no regular file";
  throw new SourceError(`source file:${file} is ${what}: give the path of a file`);
}
