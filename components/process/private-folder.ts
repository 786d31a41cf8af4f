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

function base(): string {
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  return runtime && fs.existsSync(runtime) ? runtime : os.tmpdir();
}
