import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { LeakSearch } from "../leaks";
import { changesOf, type EngineRun } from "./engine";
import type { Stage } from "./stage";

export function expectChanges(run: EngineRun, ...expected: string[]): void {
  assert.deepEqual(changesOf(run), expected.sort(), run.log.slice(-2000));
}

export function stackFolder({ folder, stack }: Stage): string {
  return path.join(folder, "nix", "stacks", stack);
}

export function sealedFiles(stage: Stage): string[] {
  const folder = stackFolder(stage);
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).filter((file) => file.endsWith(".sops.json"));
}

/** What `commands/seal.ts` said it did, from the state: `sealed`, `rewrapped`. */
export async function sealAction({ engine }: Stage, secret: string): Promise<string | undefined> {
  const state = (await engine.exportState()).toString();
  const [, action] = new RegExp(`::${secret}-seal".*?\\\\?"action\\\\?":\\\\?"(\\w+)`, "s").exec(state) ?? [];
  return action;
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

/** Nothing of any plaintext is in the state, secrets decrypted, nor in what was printed. */
export async function searchState(stage: Stage, runs: readonly EngineRun[]): Promise<void> {
  const search = new LeakSearch(stage.plaintexts);
  search.searchBytes("the state", await stage.engine.exportState());
  for (const { log } of runs) search.searchBytes("the log", Buffer.from(log));
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
