import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import { createProviderFaults, type ProviderFaults } from "loopback-azure/provider/provider-faults";
import type { Plaintext } from "../leaks";
import { DISK_BUILDER, stackConfig } from "../scenario";
import { type Engine, roleOf } from "./engine";
import { type Engines, startEngine } from "./start-engine";

export interface StageOptions {
  azure: LoopbackAzure;
  /** A working copy of the program. */
  folder: string;
  /** For the engine's own files. */
  home: string;
  /** Where the stack's owner keeps plaintext: on a memory file system. */
  sources: string;
}

/** A stack before its first update: two secrets, an image that a small program builds. */
export interface Stage<E extends Engine = Engine> extends StageOptions {
  engine: E;
  stack: string;
  /** What Azure's control plane is to refuse. */
  faults: ProviderFaults;
  config: Record<string, string>;
  /** Everything that must be found nowhere. */
  plaintexts: Plaintext[];
}

const STACK = "story";

/** The file that the secret `token` comes from gets new content, which is remembered as a plaintext. */
export function writeToken({ sources, plaintexts }: Pick<Stage, "sources" | "plaintexts">): void {
  const token = `token-${randomBytes(24).toString("hex")}`;
  plaintexts.push({ name: "token", bytes: Buffer.from(token) });
  fs.writeFileSync(path.join(sources, "token"), token, { mode: 0o600 });
}

/** As on a machine that has no plaintext: that of a pull request's preview. */
export async function withoutToken<T>({ sources }: Pick<Stage, "sources">, work: () => Promise<T>): Promise<T> {
  const token = path.join(sources, "token");
  fs.renameSync(token, `${token}.away`);
  try {
    return await work();
  } finally {
    fs.renameSync(`${token}.away`, token);
  }
}

/** The secrets that the stage declares; `token` may be left out. */
export function stageSecrets(sources: string, withToken: boolean): Record<string, object> {
  const onion = { source: { onion: {} } };
  return withToken ? { onion, token: { source: { file: path.join(sources, "token") } } } : { onion };
}

/** Faults of resources by their role, such as `vm-machine`, in whatever region the stack is. */
function faultsByRole(): ProviderFaults {
  const faults = createProviderFaults();
  return {
    ...faults,
    strike: (operation, type, name, afterwards) => faults.strike(operation, type, roleOf(STACK, name), afterwards),
    wait: (operation, type, name, afterwards) => faults.wait(operation, type, roleOf(STACK, name), afterwards),
  };
}

/** Sets a stage for an engine; the caller closes `engine`. */
export async function setStage<Name extends keyof Engines>(
  name: Name,
  options: StageOptions,
): Promise<Stage<Engines[Name]>> {
  const faults = faultsByRole();
  const plaintexts: Plaintext[] = [];
  writeToken({ sources: options.sources, plaintexts });
  const config = stackConfig(stageSecrets(options.sources, true), [], DISK_BUILDER);
  const engine = await startEngine(name, { ...options, stack: STACK, config, faults });
  return { ...options, stack: STACK, faults, plaintexts, config, engine };
}
