import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/**
 * A folder for sockets that only this user can enter, made where it is missing. Processes of one user find each other
 * in it.
 * @throws if somebody else can enter it
 */
export function privateFolder(): string {
  const user = process.getuid?.();
  const folder = path.join(base(), `sealed-onion-${user ?? "user"}`);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = fs.lstatSync(folder);
  if ((user !== undefined && uid !== user) || (mode & 0o077) !== 0) {
    throw new Error(`folder ${folder} must be yours alone: chmod 700 ${folder}, or remove it`);
  }
  return folder;
}

/** `XDG_RUNTIME_DIR` may be set and not be there, as in a container or after `su`. */
function base(): string {
  const candidates = [process.env.XDG_RUNTIME_DIR, os.tmpdir(), "/tmp"];
  const found = candidates.find((folder) => folder !== undefined && folder !== "" && isWritable(folder));
  if (found !== undefined) return found;
  throw new Error("neither XDG_RUNTIME_DIR, TMPDIR nor /tmp is a folder to write to: set TMPDIR to one of yours");
}

function isWritable(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    return fs.statSync(folder).isDirectory();
  } catch {
    return false; // not there, or not ours: the next one decides
  }
}
