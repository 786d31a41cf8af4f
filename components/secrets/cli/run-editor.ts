import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../process/child-process";
import { chosenEditor, editorInUse } from "./editor-in-use";

/** Where programs keep their settings, histories and side files, by https://specifications.freedesktop.org/basedir-spec */
const FOLDERS = ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR"];
/** Settings that could name a file on a disk for such things. */
const SETTINGS = [
  "VIMINIT",
  "GVIMINIT",
  "EXINIT",
  "NEXINIT",
  "MYVIMRC",
  "NVIM_APPNAME",
  "NVIM_LOG_FILE",
  "LESSHISTFILE",
  "EMACSDIR",
];
/** A person needs longer than this to read and close a file. Milliseconds. */
const AT_ONCE = 500;

/**
 * Lets the user edit a plaintext in `$VISUAL`, else `$EDITOR`, else vi, in a file in memory. Whatever editor it is, what it keeps
 * beside the file (~/.viminfo, swap and undo files, backups, recent files) goes into the same folder, and no core is
 * dumped.
 * @param folder in memory, of this user alone; the caller removes it
 * @param name the file's, as the editor shows it
 * @throws if the editor fails, or ends at once without a change: it may not have waited for its window
 */
export async function runEditor(folder: string, name: string, plaintext: Buffer): Promise<Buffer> {
  const file = path.join(folder, name);
  const home = path.join(folder, ".home");
  fs.mkdirSync(home, { mode: 0o700 });
  fs.writeFileSync(file, plaintext, { mode: 0o600, flag: "wx" });
  const editor = editorInUse(chosenEditor(process.env), home);
  if (editor.warning) console.error(editor.warning);
  const started = Date.now();
  // $EDITOR may have arguments: a shell takes it apart, as git and sops do.
  const { code, signal } = await runChild("sh", ["-c", `ulimit -c 0; exec ${editor.command} "$1"`, "sh", file], {
    terminal: process.stdin.isTTY === true,
    environment: { ...editorEnvironment(home), ...editor.environment },
    stdout: "inherit",
    stderr: "inherit",
  });
  if (code !== 0) throw new Error(`the editor ended with ${signal ?? `code ${code}`}: nothing is sealed`);
  const after = fs.readFileSync(file);
  if (after.equals(plaintext) && Date.now() - started < AT_ONCE) {
    console.error(
      "the editor ended at once: if its window is still open, it did not wait, and what is saved there is lost",
    );
    console.error('set EDITOR to a command that waits, as EDITOR="code --wait"');
  }
  return after;
}

function editorEnvironment(home: string): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of SETTINGS) delete environment[name];
  for (const name of FOLDERS) environment[name] = home;
  return environment;
}
