import * as fs from "node:fs";
import * as path from "node:path";
import type { Derivation } from "./derivations";
import type { Unit } from "./evaluate";

/** What `nix/eval/booted.nix` says of the machine that a rehearsal boots. */
export interface BootedAbout {
  /** Of nixpkgs, e.g. `26.05`. */
  readonly release: string;
  readonly units: Readonly<Record<string, Unit>>;
  /** networkd's files. */
  readonly networks: Readonly<Record<string, string>>;
  /** Path below /etc -> the store path it is a link to. */
  readonly files: Readonly<Record<string, string>>;
  readonly users: Readonly<Record<string, object>>;
}

/** Path below the golden folder -> text. */
export type Texts = Map<string, string>;

const REFERENCE = /\/nix\/store\/[0-9a-z]{32}-[^\s"'/:;,$)]+/g;

/** What NixOS sets for every unit, and what only a switch reads. */
const SAYS_NOTHING = /^(Environment="(LOCALE_ARCHIVE|TZDIR)=|X-Restart-Triggers=).*\n/gm;

/** A store path without what differs from one nixpkgs to the next: the hash, and a package's version. */
export function plainPath(reference: string): string {
  return reference
    .replace(/^\/nix\/store\/[0-9a-z]{32}-/, "/nix/store/")
    .replace(/-\d+(\.\d+)+[0-9a-z.+_-]*?(?=(-(bin|dev|lib|man))?$)/, "");
}

/** The texts of the units, of the files below /etc, and of all the files in the store that they lead to. */
export function bootedTexts(about: BootedAbout, derivation: (output: string) => Derivation | undefined): Texts {
  const texts: Texts = new Map();
  const pending: string[] = [];
  const add = (name: string, text: string) => {
    const said = text.replaceAll(SAYS_NOTHING, "");
    pending.push(...(said.match(REFERENCE) ?? []));
    texts.set(name, withoutOwnScript(said.replaceAll(REFERENCE, plainPath)));
  };
  for (const [name, { text }] of Object.entries(about.units)) add(path.join("units", name), text);
  for (const [name, text] of Object.entries(about.networks)) add(path.join("etc/systemd/network", name), text);
  for (const [name, source] of Object.entries(about.files)) add(path.join("etc", name), fileText(source, derivation));
  const seen = new Set<string>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const found = seen.has(next) ? undefined : derivation(next);
    seen.add(next);
    if (found?.text === undefined) continue; // a package, or a file of the checkout
    const name = path.join("store", plainPath(next).slice("/nix/store/".length), found.destination ?? "");
    if (texts.has(name)) throw new Error(`two files of the booted machine are called ${name}`);
    add(name, found.text);
  }
  return texts;
}

/** NixOS makes some files by a command: what that puts together is read, nothing is built. */
function fileText(source: string, derivation: (output: string) => Derivation | undefined): string {
  const { text, src, buildCommand = "" } = derivation(source) ?? {};
  if (text !== undefined) return text;
  if (src !== undefined) return fileText(src, derivation);
  const [, first, rest] = /^cat (\S+) - >\$out <<EOL\n(.*)EOL\n/s.exec(buildCommand) ?? [];
  if (first === undefined) throw new Error(`${source} is made by a command that is not read here: ${buildCommand}`);
  return `${fileText(first, derivation)}${rest}`;
}

/** A script of ours stays one line here: its text lies in nix/scripts, and is put in its place again for a boot. */
function withoutOwnScript(text: string): string {
  const folder = path.join("nix", "scripts");
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    text = text.replace(fs.readFileSync(file, "utf8"), () => `@${file}@\n`);
  }
  return text;
}
