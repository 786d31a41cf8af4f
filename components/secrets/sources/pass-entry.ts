import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileProblem, SourceError } from "./source-error";

/** The folder of the password store, as `pass` finds it. */
export function passwordStore(): string {
  return process.env.PASSWORD_STORE_DIR || path.join(os.homedir(), ".password-store");
}

/**
 * The encrypted file of an entry, byte for byte: nothing is decrypted.
 * @throws SourceError if there is no such entry, or it cannot be read
 */
export function readEncryptedEntry(entry: string): Buffer {
  const store = passwordStore();
  try {
    return fs.readFileSync(path.join(store, `${entry}.gpg`));
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = absent ? `is not in the password store ${store}` : `cannot be read: ${fileProblem(error)}`;
    throw new SourceError(`source pass:${entry} ${reason}: pass insert ${entry}`, absent);
  }
}
