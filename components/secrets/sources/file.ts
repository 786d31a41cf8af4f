import * as fs from "node:fs";
import * as path from "node:path";
import { type Field, mustBe, mustBeUnseen } from "../../config/fields";
import type { Source } from "./source";
import { fileProblem, SourceError } from "./source-error";

/** A file's content, byte for byte; the path is relative to the project's folder, which is the working directory. */
export const file: Source<"file", string> = {
  kind: "file",
  parse,
  describe: (reference) => reference,
  read: async (reference) => ({ content: readFile(reference) }),
};

function parse(field: Field): string {
  const reference = field.value;
  if (typeof reference !== "string" || reference === "" || /[\0\n]/.test(reference)) {
    throw mustBeUnseen(field, "a file's path");
  }
  if (reference.startsWith("~")) throw mustBe(field, "a path without ~, which only a shell expands");
  if (!path.relative("nix", reference).startsWith("..")) {
    throw mustBe(field, "outside nix/, which is copied to the world-readable Nix store", "move the file elsewhere");
  }
  return reference;
}

/**
 * What is checked is what is read: the open file, not the path.
 * @throws SourceError if it is missing, no regular file, unreadable, readable by everybody, or empty
 */
function readFile(file: string): Buffer {
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
