import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runChild } from "../../../components/process/child-process";
import { findOnPath } from "../../../components/process/find-program";
import type { Facts } from "../../../components/stack/facts";
import { type Manifest, readEvaluatedGuest } from "./evaluated";
import { manifestOf, movedBelow } from "./manifest";

export interface UnsealOptions {
  facts: Facts;
  /** The folder that was unpacked from the image: the sealed files lie there. */
  sealedFolder: string;
  /** The VM's memory file system: every plaintext ends below it. */
  root: string;
  /** The environment of the VM's unit: PATH, its proxy, its identity. Nothing of the workstation's. */
  environment: NodeJS.ProcessEnv;
  /** The VM's console. */
  console: (line: string) => void;
}

/** What one try came to: the secrets' paths below `root`, or the console's line and what the unit's journal says. */
export type Unsealed = { opened: Map<string, string> } | { refused: string; journal: string };

const INSTALLER = "sops-install-secrets";

/** The program that opens the secrets here, for the report. */
export function unsealingProgram(): string {
  return findOnPath(INSTALLER) ? INSTALLER : `sops (${INSTALLER} is not on PATH)`;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

/** Tries once, as the unit does at each start. */
export async function unsealOnce(options: UnsealOptions): Promise<Unsealed> {
  const manifest = movedBelow(options.root, manifestOf(options.facts, options.sealedFolder, readEvaluatedGuest()));
  const reason = findOnPath(INSTALLER) ? await installSecrets(manifest, options) : await decryptEach(manifest, options);
  if (reason !== undefined) {
    const refused = await explain(options, reason);
    options.console(refused);
    return { refused, journal: reason };
  }
  return { opened: new Map(manifest.secrets.map(({ name, path: target }) => [name, target])) };
}

/** Retries with backoff as the unit does; a VM would for ever, a rehearsal until `deadlineMs`. */
export async function unseal(options: UnsealOptions, deadlineMs: number): Promise<Map<string, string>> {
  const deadline = Date.now() + deadlineMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const result = await unsealOnce(options);
    if ("opened" in result) return result.opened;
    if (Date.now() + pause > deadline)
      throw new Error(`the VM could not open its secrets: ${result.refused}\n${result.journal}`);
    await sleep(pause);
  }
}

/**
 * sops-nix's own program, as the image has it; in user mode it wants a runtime folder, and here is no group `keys`.
 * Answers what it said where it failed.
 */
async function installSecrets(manifest: Manifest, options: UnsealOptions): Promise<string | undefined> {
  const file = path.join(options.root, "manifest.json");
  const run = path.join(options.root, "run");
  fs.mkdirSync(run, { recursive: true, mode: 0o700 });
  fs.writeFileSync(file, JSON.stringify(manifest));
  const environment = { ...options.environment, XDG_RUNTIME_DIR: run };
  const { code, stderr } = await runChild(INSTALLER, ["-ignore-passwd", file], { environment });
  return code === 0 ? undefined : stderr;
}

/** The same by hand with sops: each plaintext goes from a pipe to a file on the memory file system. */
async function decryptEach(manifest: Manifest, options: UnsealOptions): Promise<string | undefined> {
  const plaintexts: [string, string, Buffer][] = [];
  for (const { path: target, mode, sopsFile } of manifest.secrets) {
    const types = ["--input-type", "json", "--output-type", "binary"];
    const { code, stdout, stderr } = await runChild("sops", ["decrypt", ...types, sopsFile], {
      environment: options.environment,
    });
    if (code !== 0) return stderr;
    plaintexts.push([target, mode, stdout]);
  }
  // All or none, as sops-install-secrets does.
  for (const [target, mode, plaintext] of plaintexts) place(target, mode, plaintext);
  return undefined;
}

function place(target: string, mode: string, plaintext: Buffer): void {
  fs.mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
  fs.writeFileSync(`${target}.new`, plaintext, { mode: 0o600 });
  fs.chmodSync(`${target}.new`, Number.parseInt(mode, 8));
  fs.renameSync(`${target}.new`, target);
  plaintext.fill(0);
}

/** The reason is the guest's own: the script that its unit asks after each failed attempt. */
async function explain({ environment }: UnsealOptions, said: string): Promise<string> {
  const script = path.resolve("nix", "scripts", "explain-sealed.sh");
  const { stdout } = await runChild("bash", [script], { environment });
  const reason = stdout.toString("utf8").trim();
  return reason ? `sealed-onion: the secrets are still sealed: ${reason}` : said;
}
