import * as fs from "node:fs";
import * as path from "node:path";

/** Set in what `npm pack` makes (see start/build-package.mjs); in a checkout there is no such name. */
declare const SHIPPED: true;

/** Whether this is an installed package that another project uses, and not a checkout that is the project itself. */
export const isShipped = typeof SHIPPED !== "undefined";

const NAME = "sealed-onion";

/** What a project that uses the package may say, under `"sealed-onion"` of its package.json. */
interface ProjectSettings {
  /** The folder of the stacks' sealed files and facts. @default sealed */
  readonly sealed?: string;
  /** A folder that is laid over the guest: `site/`, `hosts/STACK.nix`. @default guest */
  readonly guest?: string;
}

/**
 * This package's own folder, from the project's: `node_modules/sealed-onion`; in a checkout the project itself, "". No
 * path of one machine: it is part of commands that Pulumi keeps in its state.
 */
export function packageFolder(): string {
  if (!isShipped) return "";
  const linked = path.join("node_modules", NAME);
  return fs.existsSync(linked) ? linked : path.relative(process.cwd(), installedFolder(__dirname));
}

/** Upwards from this file, whatever bundle it is part of. */
function installedFolder(from: string): string {
  const isOurs = fs.existsSync(path.join(from, "components", "start", "run.mjs"));
  return isOurs || path.dirname(from) === from ? from : installedFolder(path.dirname(from));
}

/** What starts a program of programs.json, for a shell in the project's folder. @param words its name, and arguments */
export function programCommand(words: string): string {
  return `exec node ${quoted(programFile())} ${words}`;
}

/** The same of a program that one process of this run does for all such commands, where it can: see `start/run.sh`. */
export function sharedCommand(words: string): string {
  return `exec sh ${quoted(programFile().replace(/mjs$/, "sh"))} ${words}`;
}

function quoted(file: string): string {
  return /^[\w./@-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}

/** The file that starts every program, from the project's folder. */
export function programFile(): string {
  return path.join(packageFolder(), "components", "start", "run.mjs");
}

/** Where the stacks' folders lie, from the project's folder. */
export function stacksFolder(): string {
  return isShipped ? settingsFolder("sealed", "sealed") : path.join("nix", "stacks");
}

/** What a project lays over the guest, from the project's folder. In a checkout the guest is the project's own. */
export function guestOverlay(): string {
  return settingsFolder("guest", "guest");
}

/** @throws where the setting leads out of the project */
function settingsFolder(key: keyof ProjectSettings, fallback: string): string {
  const file = "package.json";
  const settings = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8"))[NAME] as ProjectSettings) : {};
  const folder = path.normalize(settings?.[key] ?? fallback);
  if (!path.isAbsolute(folder) && !folder.startsWith("..")) return folder;
  throw new Error(`${file}: "${NAME}".${key} must be a folder of this project, got ${JSON.stringify(folder)}`);
}
