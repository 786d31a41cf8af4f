import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { LeakSearch } from "../leaks";
import { changesOf, type EngineRun } from "./engine";
import type { Stage } from "./stage";

/** What a chapter did, and what there is to say about it. */
export interface Told {
  runs: EngineRun[];
  /** For people. */
  note?: string;
}

/** One chapter of a stack's life: it goes on where the one before it ended. */
export type Telling = [name: string, tell: (stage: Stage) => Promise<Told>];

/** Every resource of the stage's stack. */
export const WHOLE_STACK = [
  "image-account",
  "image-build",
  "image-container",
  "image-image",
  "image-sealer-blobs",
  "image-suffix",
  "image-upload",
  "onion-seal",
  "token-seal",
  "vault-fingerprint-key",
  "vault-group",
  "vault-guard",
  "vault-identity",
  "vault-key",
  "vault-machine-policy",
  "vault-sealer-policy",
  "vault-suffix",
  "vault-vault",
  "vm-address",
  "vm-card",
  "vm-firewall",
  "vm-generation",
  "vm-machine",
  "vm-network",
  "vm-prune",
  "vm-subnet",
];

const replacing = (name: string) => [`create-replacement ${name}`, `delete-replaced ${name}`, `replace ${name}`];

/** Another machine, and what belongs to it alone. */
export const NEW_VM = ["vm-address", "vm-card", "vm-generation", "vm-machine"].flatMap(replacing);

/** What a changed image leads to. */
export const NEW_IMAGE = [
  ...replacing("image-image"),
  ...NEW_VM,
  "update image-build",
  "update image-upload",
  "update vm-prune",
];

/** `create` and `[a, b]` -> `create a`, `create b`. */
export function each(operation: string, names: readonly string[]): string[] {
  return names.map((name) => `${operation} ${name}`);
}

export function expectChanges(run: EngineRun, ...expected: string[]): void {
  assert.deepEqual(changesOf(run), [...expected].sort(), run.log.slice(-2000));
}

export function stackFolder({ folder, stack }: Stage): string {
  return path.join(folder, "nix", "stacks", stack);
}

export function sealedFiles(stage: Stage): string[] {
  const folder = stackFolder(stage);
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).filter((file) => file.endsWith(".sops.json"));
}

/** A sealed file by the secret's name. */
export function sealedFile(stage: Stage, secret: string): Buffer {
  return fs.readFileSync(path.join(stackFolder(stage), `${secret}.sops.json`));
}

interface Exported {
  deployment?: Exported;
  resources?: { urn: string; outputs?: Record<string, unknown> }[];
}

/** What the program `seal` said it did when it last ran, from the state: `sealed`, `rewrapped`. */
export async function sealAction({ engine }: Stage, secret: string): Promise<unknown> {
  const exported = JSON.parse((await engine.exportState()).toString()) as Exported;
  const { resources = [] } = exported.deployment ?? exported;
  const seal = resources.find(({ urn }) => urn.endsWith(`::${secret}-seal`));
  return JSON.parse(String(seal?.outputs?.stdout)).action;
}

export async function withConfig(stage: Stage, change: Record<string, string>): Promise<void> {
  Object.assign(stage.config, change);
  await stage.engine.setConfig(stage.config);
}

/** Opens a sealed file as a sealer may: to know what must be found nowhere. */
export async function learnOnionKey(stage: Stage): Promise<void> {
  const file = path.join(stackFolder(stage), "onion.sops.json");
  const environment = { ...process.env, ...stage.azure.workstation.env };
  const options = { env: environment, encoding: "buffer" as const };
  const decrypt = ["decrypt", "--input-type", "json", "--output-type", "binary", file];
  const { stdout } = await promisify(execFile)("sops", decrypt, options);
  stage.plaintexts.push(
    { name: "onion", bytes: stdout.subarray(-64) },
    { name: "its scalar", bytes: stdout.subarray(-64, -32) },
  );
}

/** Nothing of any plaintext is in the state (secrets decrypted, and as it lies on disk), in git's files, in what was printed. */
export async function searchState(stage: Stage, runs: readonly EngineRun[]): Promise<void> {
  const search = new LeakSearch(stage.plaintexts);
  const state = await stage.engine.exportState();
  assert.ok(!state.includes('"ciphertext"'), "the exported state's own secrets are decrypted");
  search.searchBytes("the state", state);
  for (const { log } of runs) search.searchBytes("the log", Buffer.from(log));
  for (const folder of [stackFolder(stage), stage.home]) if (fs.existsSync(folder)) search.searchFolder(folder);
  assert.deepEqual(search.leaks, []);
}

/** Requests that reached the loopback Azure during some work. */
export async function requestsOf(
  stage: Stage,
  work: () => Promise<EngineRun>,
): Promise<{ run: EngineRun; requests: string[] }> {
  const before = stage.azure.requests.entries.length;
  const run = await work();
  const since = stage.azure.requests.entries.slice(before);
  return { run, requests: since.map(({ method, host, path: asked }) => `${method} ${host}${asked}`) };
}
