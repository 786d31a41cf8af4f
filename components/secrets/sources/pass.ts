import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Field, mustBeUnseen } from "../../config/fields";
import { isTraversal } from "../../config/path-segment";
import { findOnPath } from "../../process/find-program";
import { howToInstall } from "../../process/tools";
import { printed } from "./printed";
import type { Source } from "./source";
import { fileProblem, SourceError } from "./source-error";
import { terminalPath } from "./terminal";

/** An entry of the password store, through the real `pass`. Its trace is the digest of the encrypted file. */
export const pass: Source<"pass", string> = {
  kind: "pass",
  parse,
  describe: (entry) => entry,
  trace: (entry) => createHash("sha256").update(readEncryptedEntry(entry)).digest("hex"),
  read: async (entry) => ({ content: await readPassEntry(entry) }),
};

function parse(field: Field): string {
  const entry = field.value;
  if (typeof entry !== "string" || !/^[^-/\0\n][^\0\n]*$/.test(entry) || entry.split("/").some(isTraversal)) {
    throw mustBeUnseen(field, "the name of an entry of the password store, relative and without ..");
  }
  return entry;
}

/**
 * The content byte for byte (all its lines, the last newline included). gpg's agent may ask for a passphrase on the
 * terminal.
 * @throws SourceError if pass or the entry is missing, the entry cannot be decrypted, or it is empty
 */
async function readPassEntry(entry: string): Promise<Buffer> {
  const what = `source pass:${entry}`;
  readEncryptedEntry(entry); // a missing entry is named before pass searches folders for it
  if (!findOnPath("pass")) {
    throw new SourceError(`${what} needs pass, which is not on PATH: ${howToInstall("pass")}`, true);
  }
  const terminal = process.env.GPG_TTY || (await terminalPath());
  if (terminal) process.env.GPG_TTY = terminal;
  const result = await printed(what, "pass", ["show", entry]);
  if (result.code === 0 && result.stdout.length > 0) return result.stdout;
  result.stdout.fill(0);
  if (result.code === 0) throw new SourceError(`${what} is empty: pass edit ${entry}`);
  throw new SourceError(
    `${what} cannot be decrypted (${passwordStore()}): ${reasonOf(result.stderr)}: pass show ${entry} must work first`,
  );
}

/** The folder of the password store, as `pass` finds it. */
function passwordStore(): string {
  return process.env.PASSWORD_STORE_DIR || path.join(os.homedir(), ".password-store");
}

/**
 * The encrypted file of an entry, byte for byte: nothing is decrypted.
 * @throws SourceError if there is no such entry, or it cannot be read
 */
function readEncryptedEntry(entry: string): Buffer {
  const store = passwordStore();
  try {
    return fs.readFileSync(path.join(store, `${entry}.gpg`));
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = absent ? `is not in the password store ${store}` : `cannot be read: ${fileProblem(error)}`;
    throw new SourceError(`source pass:${entry} ${reason}: pass insert ${entry}`, absent);
  }
}

/** gpg says why on standard error, and never prints what it decrypts there. */
function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.startsWith("gpg: "));
  return (lines.at(-1) ?? "gpg says nothing").replace(/^gpg: /, "");
}
