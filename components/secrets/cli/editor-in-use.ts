import * as fs from "node:fs";
import * as path from "node:path";
import { findOnPath } from "../../process/find-program";

/** How the user's editor is started, so that nothing of the text reaches a disk. */
export interface EditorInUse {
  /** For a shell. */
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
  /** What cannot be kept from a disk, for people. */
  readonly warning?: string;
}

/**
 * Without the system's and the user's settings, which may name folders for undo files and backups; without a swap file
 * and without a history. Source: vim's `:help starting`
 */
const VIM_FLAGS = "-u NONE -N -n -i NONE";

/** The system's settings of nano may name a folder for backups, too. */
const NANO_FLAGS = "--ignorercfiles";

/** What starts another program, the editor, with the rest of the words. */
const STARTERS = /^(env|command|exec|nice|nohup)$/;

/** These open the text in a program that runs already, with the home that it was started with. */
const SERVERS =
  /^(emacsclient|nvr|code|code-insiders|codium|cursor|subl|zed|zeditor|gedit|gnome-text-editor|kate|kwrite|mate|open|xdg-open)$/;

/** Most programs ask for a full-screen editor first. Blank is unset. */
export function chosenEditor({ VISUAL = "", EDITOR = "" }: NodeJS.ProcessEnv): string {
  return VISUAL.trim() || EDITOR.trim() || "vi";
}

/** @param editor as in `$EDITOR`: a shell's words, arguments included @param home a folder in memory */
export function editorInUse(editor: string, home: string): EditorInUse {
  const words = (editor.match(/(?:[^\s"'\\]|\\.|"[^"]*"|'[^']*')+/g) ?? []).map((word) =>
    word.replace(/\\(.)|["']/g, "$1"),
  );
  const program = words.find((word) => !/^\w+=/.test(word) && !STARTERS.test(word)) ?? "";
  const names = [path.basename(program), path.basename(realFile(program))];
  if (names.some((name) => name.includes("vim"))) return { command: `${editor} ${VIM_FLAGS}`, environment: {} };
  if (names.includes("nano")) return { command: `${editor} ${NANO_FLAGS}`, environment: {} };
  // nvi keeps what is typed in /var/tmp until it ends, and longer if it is killed.
  const environment = names.includes("nvi") ? { NEXINIT: `set recdir=${home}` } : {};
  return { command: editor, environment, ...(names.some((name) => SERVERS.test(name)) && { warning: warn(program) }) };
}

function warn(program: string): string {
  const what = "hands the text to a program that runs already, whose histories and backups lie on a disk";
  return `${program} ${what}: set EDITOR to an editor that runs by itself, as EDITOR=vi`;
}

/** What the program's name leads to: `vi`, `view` and `editor` are vim on many systems. */
function realFile(program: string): string {
  const found = findOnPath(program);
  return found === undefined ? program : fs.realpathSync(found);
}
