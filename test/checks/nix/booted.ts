import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { runChild } from "../../../components/process/child-process";
import { factsText } from "../../../components/stack/facts";
import { FLEET_TEXTS, GOLDEN_TEXTS } from "../../rehearsal/booted/golden";
import { fleetDials, goldenFacts, placeholderFile } from "../../rehearsal/booted/stack";
import { type BootedAbout, bootedTexts, type Texts } from "./booted-texts";
import { readDerivations } from "./derivations";
import type { Sources } from "./evaluate";

const ABOUT = "about.json";

/**
 * Evaluates the machine that a rehearsal boots.
 * @param dials the stack's
 * @returns all its golden texts, by path below their folder
 */
export async function evaluateBooted(
  sources: Sources,
  dials?: Readonly<Record<string, string>>,
): Promise<{ release: string; texts: Texts }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sealed-onion-booted-"));
  try {
    const facts = await goldenFacts(dials);
    const stack = path.join(folder, "stack");
    fs.mkdirSync(stack);
    fs.writeFileSync(path.join(stack, "facts.json"), factsText(facts));
    for (const [name, { sealedFile }] of Object.entries(facts.secrets)) {
      fs.writeFileSync(path.join(stack, sealedFile), placeholderFile(name));
    }
    const store = path.join(folder, "store");
    const given = ["--arg", "nixpkgs", sources.nixpkgs, "--arg", "sops-nix", sources.sopsNix, "--arg", "stack", stack];
    const ask = ["--store", store, "nix/eval/booted.nix", ...given];
    const about = JSON.parse(await instantiate(["--eval", "--strict", "--json", "-A", "about", ...ask])) as BootedAbout;
    await instantiate(["-A", "toplevel", ...ask]);
    const texts = bootedTexts(about, readDerivations(path.join(store, "nix", "store")));
    texts.set("facts.json", factsText(facts));
    return { release: about.release, texts: texts.set(ABOUT, aboutText(about)) };
  } finally {
    fs.chmodSync(folder, 0o700);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function instantiate(parameters: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runChild("nix-instantiate", parameters);
  if (code !== 0) throw new Error(`nix/eval/booted.nix does not evaluate:\n${stderr.trim()}`);
  return stdout.toString("utf8");
}

/** What is no text: who wants a unit, and who lives on the machine. */
function aboutText({ release, units, users }: BootedAbout): string {
  const links = Object.entries(units).map(([name, { text: _, ...unit }]) => [name, unit]);
  return `${JSON.stringify({ release, units: Object.fromEntries(links), users }, null, 2)}\n`;
}

/** What a replica has otherwise than a single machine. @param single all texts of that one */
export async function evaluateReplica(sources: Sources, single: Texts): Promise<Texts> {
  const { texts } = await evaluateBooted(sources, fleetDials);
  return new Map([...texts].filter(([name, text]) => single.get(name) !== text));
}

/** Both, with where they are kept. */
export async function evaluateBoth(sources: Sources): Promise<{ release: string; kept: [Texts, folder: string][] }> {
  const { release, texts } = await evaluateBooted(sources);
  const replica = await evaluateReplica(sources, texts);
  return {
    release,
    kept: [
      [texts, GOLDEN_TEXTS],
      [replica, FLEET_TEXTS],
    ],
  };
}

/** The golden texts that differ from the evaluated ones, are missing or are no longer there. */
export function bootedDifferences(texts: Texts, folder = GOLDEN_TEXTS): string[] {
  const there = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  const files = there.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const names = new Set([...texts.keys(), ...files.map((file) => path.relative(folder, file))]);
  const kept = (name: string) =>
    files.includes(path.join(folder, name)) ? fs.readFileSync(path.join(folder, name), "utf8") : undefined;
  return [...names]
    .filter((name) => kept(name) !== texts.get(name))
    .map((name) => path.join(folder, name))
    .sort();
}

/** Of the nixpkgs that the golden texts are of; undefined where there are none. */
export function goldenRelease(folder = GOLDEN_TEXTS): string | undefined {
  const file = path.join(folder, ABOUT);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).release : undefined;
}

/** Writes the golden texts again, after a change that was meant. */
export function writeBooted(texts: Texts, folder = GOLDEN_TEXTS): void {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of texts) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}
