import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type LoopbackAzure, startAzure } from "loopback-azure/azure";
import type { CloudResource } from "loopback-azure/cloud";
import { sharedCommand } from "../../../components/config/project";
import { keylessFingerprint } from "../../../components/secrets/fingerprint";
import type { SealRecord } from "../../../components/secrets/seal/seal-record";
import type { SealResult } from "../../../components/secrets/seal/seal-request";
import { type SecretSource, sourceOf } from "../../../components/secrets/sources/sources";

/** A project folder, a Key Vault on loopback, and the seal program as Pulumi runs it: a process of its own. */
export interface Sealing {
  azure: LoopbackAzure;
  /** The project's folder, which is also the program's working directory. */
  folder: string;
  vaultId: string;
  keyUrl: string;
  /** Makes a further version of the key. @returns its URL */
  rotateKey(): Promise<string>;
  /** Replaces the vault's policies: what one principal may do with keys. @param objectId @default the workstation's */
  allow(permissions: string[], objectId?: string): void;
  run(secret: Partial<SecretParameters>, options?: RunOptions): Promise<Run>;
  /** Runs any program of the project. */
  start(program: string, argv: string[], options?: RunOptions): Promise<Run>;
  /** Runs any program of the machine, with the same environment. */
  startRaw(program: string, argv: string[], options?: RunOptions): Promise<Run>;
  /** A file of the project, made with mode 0600. @returns its path relative to the project */
  write(file: string, content: string | Uint8Array, mode?: number): string;
  read(file: string): Buffer;
  record(name: string): SealRecord;
  /** What was asked of the vault's keys since the last `azure.requests.clear()`, reading them aside. */
  vaultCalls(): string[];
  close(): Promise<void>;
}

export interface SecretParameters {
  stack: string;
  name: string;
  source: SecretSource;
  kind: "onion" | "";
  generation: number;
  from: string;
  fingerprint: string;
  keyUrl: string;
  age: string[];
  pgp: string[];
  hostname: string;
}

export interface RunOptions {
  remove?: boolean;
  /** Variables besides, or in place of, the usual ones; undefined takes one away. */
  environment?: NodeJS.ProcessEnv;
  /** What the last run printed, as Pulumi hands it to the next. */
  previous?: SealResult | undefined;
  /** What it reads on standard input. @default nothing */
  input?: string;
  /** A command line that starts the program, in place of starting it directly. */
  through?: string[];
  /** Starts `seal` as Pulumi does: this process's working folder is the project's. @default by Node */
  asPulumi?: boolean;
  /** Gets the process, for instance to kill it. */
  onStart?: (pid: number) => void;
}

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  /** The result, if it was printed. */
  result: SealResult;
}

const vaultName = "test-vault";
const keyName = "sealing";

export async function startSealing(): Promise<Sealing> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "sealing-"));
  const folder = path.join(directory, "project");
  const azureFolder = path.join(directory, "azure");
  for (const one of [folder, azureFolder]) fs.mkdirSync(one);
  fs.symlinkSync(path.resolve("components"), path.join(folder, "components"));
  const azure = await startAzure({ directory: azureFolder });
  const vaultId = `/subscriptions/${azure.cloud.subscriptionId}/resourceGroups/test/providers/Microsoft.KeyVault/vaults/${vaultName}`;
  const allow: Sealing["allow"] = (permissions, objectId = azure.workstation.principal.objectId) =>
    azure.cloud.put(vaultOf(azure, vaultId, permissions, objectId));
  allow(["get", "encrypt", "decrypt"]);
  const rotateKey = async () => {
    const { version } = await azure.cloud.keys.create(vaultId, keyName, { keySize: 2048 });
    return `https://${vaultName}.vault.azure.net/keys/${keyName}/${version}`;
  };
  const keyUrl = await rotateKey();
  const startRaw: Sealing["start"] = (program, argv, options = {}) =>
    runProgram(folder, { ...azure.workstation.env, ...options.environment }, [program, ...argv], options);
  const start: Sealing["start"] = (program, argv, options = {}) => {
    const [first = "", ...rest] = [
      ...(options.through ?? []),
      process.execPath,
      path.resolve("components/start/run.mjs"),
      program,
    ];
    return startRaw(first, [...rest, ...argv], options);
  };
  const file = (name: string) => path.join(folder, name);
  return {
    azure,
    folder,
    vaultId,
    keyUrl,
    rotateKey,
    allow,
    start,
    startRaw,
    run(secret, options = {}) {
      const environment = {
        ...parameters({ keyUrl, ...secret }),
        ...(options.previous && { PULUMI_COMMAND_STDOUT: JSON.stringify(options.previous) }),
        ...options.environment,
      };
      if (options.asPulumi) {
        const [first, ...rest] = [...(options.through ?? []), "/bin/sh", "-c", sharedCommand("seal")];
        return startRaw(first ?? "", rest, { ...options, environment });
      }
      return start("seal", options.remove ? ["--remove"] : [], { ...options, environment });
    },
    write(name, content, mode = 0o600) {
      fs.mkdirSync(path.dirname(file(name)), { recursive: true });
      fs.writeFileSync(file(name), content);
      fs.chmodSync(file(name), mode);
      return name;
    },
    read: (name) => fs.readFileSync(file(name)),
    record: (name) => JSON.parse(fs.readFileSync(file(`nix/stacks/dev/${name}.seal.json`), "utf8")) as SealRecord,
    vaultCalls: () =>
      azure.requests.entries
        .filter(({ host, method }) => host.endsWith("vault.azure.net") && method === "POST")
        .filter(({ status }) => status !== 401)
        .map(call),
    async close() {
      await azure.close();
      fs.rmSync(directory, { recursive: true });
    },
  };
}

function call(entry: { operation?: string; path: string }): string {
  return entry.operation ?? entry.path.split("/").at(-1) ?? "";
}

function vaultOf(azure: LoopbackAzure, id: string, keys: string[], objectId: string): CloudResource {
  const { tenantId } = azure.workstation.principal;
  const accessPolicies = [{ tenantId, objectId, permissions: { keys } }];
  return {
    id,
    type: "Microsoft.KeyVault/vaults",
    name: vaultName,
    location: "westeurope",
    properties: { tenantId, accessPolicies, enableRbacAuthorization: false, sku: { family: "A", name: "standard" } },
  };
}

function parameters(secret: Partial<SecretParameters>): NodeJS.ProcessEnv {
  const source = secret.source ?? { onion: {} };
  return {
    STACK: secret.stack ?? "dev",
    SECRET: secret.name ?? "onion-key",
    SOURCE: JSON.stringify(source),
    KIND: secret.kind ?? (sourceOf(source).kind === "onion" ? "onion" : ""),
    GENERATION: String(secret.generation ?? 1),
    FROM: secret.from ?? "",
    FINGERPRINT: secret.fingerprint ?? traceOf(source, secret.generation ?? 1) ?? `test:${randomUUID()}`,
    KEY_URL: secret.keyUrl,
    RECIPIENTS: JSON.stringify({ age: secret.age ?? [], pgp: secret.pgp ?? [] }),
    EXPECTED_HOSTNAME: secret.hostname ?? "",
  };
}

/** The fingerprint that a preview takes of a source that has a trace. */
function traceOf(source: SecretSource, generation: number): string | undefined {
  try {
    return keylessFingerprint({ source, generation });
  } catch {
    return undefined; // a source that the test leaves out
  }
}

function runProgram(
  cwd: string,
  environment: NodeJS.ProcessEnv,
  [program = "", ...argv]: string[],
  { onStart, input }: RunOptions,
): Promise<Run> {
  const child = spawn(program, argv, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, TMPDIR: os.tmpdir(), ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdin.on("error", () => {}).end(input); // it may end without reading
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr, result: resultOf(stdout) }));
  });
}

function resultOf(stdout: string): SealResult {
  return stdout.startsWith("{") ? (JSON.parse(stdout) as SealResult) : ({} as SealResult);
}

/** Opens a sealed file with sops itself. @param environment @default the workstation's credentials */
export function openSealed(sealing: Sealing, file: string, environment?: NodeJS.ProcessEnv): Promise<Buffer> {
  const env = { PATH: process.env.PATH, HOME: sealing.folder, ...(environment ?? sealing.azure.workstation.env) };
  const argv = ["decrypt", "--input-type", "json", "--output-type", "binary", path.join(sealing.folder, file)];
  return new Promise((resolve, reject) => {
    execFile("sops", argv, { env, encoding: "buffer" }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.toString()));
      else resolve(stdout);
    });
  });
}
