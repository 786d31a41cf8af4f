import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { LoopbackAzure } from "../azure/azure";
import type { Plaintext } from "../leaks";
import { simulatedAzureNative } from "../provider/azure-native";
import { localCommand } from "../provider/local-command";
import type { ResourceProvider } from "../provider/provider";
import { createProviderFaults, type ProviderFaults } from "../provider/provider-faults";
import { simulatedRandom } from "../provider/random";
import type { Engine } from "./engine";
import { startInProcess } from "./in-process-engine";
import { hasPlugin, type PulumiEngine, startPulumi } from "./pulumi";

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

/** Not anybody's key: for a VM that nobody logs in to. */
export const sshPublicKey = `ssh-ed25519 ${Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from("ssh-ed25519"),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 7),
]).toString("base64")}`;

/** The file that the secret `token` comes from gets new content, which is remembered as a plaintext. */
export function writeToken({ sources, plaintexts }: Pick<Stage, "sources" | "plaintexts">): void {
  const token = `token-${randomBytes(24).toString("hex")}`;
  plaintexts.push({ name: "token", bytes: Buffer.from(token) });
  fs.writeFileSync(path.join(sources, "token"), token, { mode: 0o600 });
}

function configOf(sources: string): Record<string, string> {
  const secrets = { onion: { source: { onion: {} } }, token: { source: { file: path.join(sources, "token") } } };
  return {
    "azure-native:location": "westeurope",
    "sealed-onion:sshPublicKey": sshPublicKey,
    "sealed-onion:secrets": JSON.stringify(secrets),
    "sealed-onion:image": JSON.stringify({ builder: ["node", "run.mjs", "rehearsal/stack-image.ts"] }),
  };
}

/** Sets a stage for either engine; the caller closes `engine`. */
async function setStage<E extends Engine>(
  options: StageOptions,
  start: (parts: { azureNative: ResourceProvider; config: Record<string, string> }) => E | Promise<E>,
): Promise<Stage<E>> {
  const { azure, sources } = options;
  const faults = createProviderFaults();
  const plaintexts: Plaintext[] = [];
  writeToken({ sources, plaintexts });
  const config = configOf(sources);
  const azureNative = simulatedAzureNative({ cloud: azure.cloud, principal: azure.workstation.principal, faults });
  return { ...options, stack: STACK, faults, plaintexts, config, engine: await start({ azureNative, config }) };
}

function commands({ azure, folder }: StageOptions): ResourceProvider {
  return localCommand({ folder, environment: { ...process.env, ...azure.workstation.env } });
}

export function setInProcessStage(options: StageOptions): Promise<Stage> {
  return setStage(options, ({ azureNative, config }) => {
    const providers = [azureNative, simulatedRandom(), commands(options)];
    return startInProcess({ folder: options.folder, project: "sealed-onion", stack: STACK, config, providers });
  });
}

/** With released plugins of `command` and `random` where they are on PATH, else with ours of the same behaviour. */
export function setPulumiStage(options: StageOptions): Promise<Stage<PulumiEngine>> {
  return setStage(options, ({ azureNative, config }) => {
    const random = hasPlugin("random") ? [] : [simulatedRandom()];
    const command = hasPlugin("command") ? [] : [commands(options)];
    const environment = { ...process.env, ...options.azure.workstation.env };
    const { folder, home } = options;
    return startPulumi({
      folder,
      home,
      stack: STACK,
      config,
      providers: [azureNative, ...random, ...command],
      environment,
    });
  });
}
