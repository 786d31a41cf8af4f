import { findProgram, ProgramMissing } from "../../process/child-process";
import { howToInstall } from "../../process/tools";
import { printed } from "./command";
import { passwordStore, readEncryptedEntry } from "./pass-entry";
import { SourceError } from "./source-error";
import { terminalPath } from "./terminal";

/**
 * The content of a password store's entry through the real `pass`, byte for byte (all its lines, the last newline
 * included). gpg's agent may ask for a passphrase on the terminal.
 * @throws SourceError if pass or the entry is missing, the entry cannot be decrypted, or it is empty
 */
export async function readPassEntry(entry: string): Promise<Buffer> {
  const what = `source pass:${entry}`;
  readEncryptedEntry(entry); // a missing entry is named before pass searches folders for it
  requirePass(what);
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

function requirePass(what: string): void {
  try {
    findProgram("pass");
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new SourceError(`${what} needs pass, which is not on PATH: ${howToInstall("pass")}`, true);
  }
}

/** gpg says why on standard error, and never prints what it decrypts there. */
function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.startsWith("gpg: "));
  return (lines.at(-1) ?? "gpg says nothing").replace(/^gpg: /, "");
}
