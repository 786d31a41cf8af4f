import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { EngineEvent, Stack, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { debugProviders, type ServedProvider, serveProvider } from "../provider/grpc-server";
import type { ResourceProvider } from "../provider/provider";

export interface PulumiOptions {
  /** The Pulumi program: a working copy with `Pulumi.yaml`. */
  folder: string;
  /** A folder of the caller's for the state, plugins and credentials of this run. */
  home: string;
  stack: string;
  /** With namespaces: `sealed-onion:vmSize`. */
  config: Record<string, string>;
  /** Served by this process; every other package needs a plugin on PATH. */
  providers: readonly ResourceProvider[];
  /** What Pulumi, its plugins and the program inherit. @default this process's own */
  environment?: Record<string, string | undefined>;
}

/** One thing that was done to a resource, or that a preview says will be. */
export interface Operation {
  /** `create`, `update`, `same`, `replace`, `create-replacement`, `delete-replaced`, `delete`, `refresh`. */
  op: string;
  urn: string;
  type: string;
  /** Paths of the inputs that differ. */
  changed: string[];
}

/** One run of the engine. */
export interface EngineRun {
  operations: Operation[];
  /** Everything that the CLI printed. */
  log: string;
}

/** A stack under Pulumi's real engine, with a file backend and a passphrase. */
export interface PulumiEngine {
  /** The CLI's version. */
  readonly version: string;
  /** What every `pulumi` of this stack gets; to start one by hand, as an interruption wants. */
  readonly environment: Record<string, string>;
  preview(): Promise<EngineRun>;
  up(): Promise<EngineRun>;
  refresh(): Promise<EngineRun>;
  destroy(): Promise<EngineRun>;
  outputs(): Promise<Record<string, unknown>>;
  /** The checkpoint, secrets decrypted. */
  exportState(): Promise<Buffer>;
  setConfig(config: Record<string, string>): Promise<void>;
  /** Gives up the lock that a killed run has left. */
  cancel(): Promise<void>;
  close(): Promise<void>;
}

/** Where the CLI is, or undefined. */
export function findPulumi(searchPath: string = process.env.PATH ?? ""): string | undefined {
  const candidates = searchPath.split(path.delimiter).map((folder) => path.join(folder || ".", "pulumi"));
  return candidates.find((file) => fs.existsSync(file));
}

/** A run failed: what had been done until then is there, and what was printed tells why. */
export class RunFailed extends Error {
  constructor(
    what: string,
    readonly run: EngineRun,
    cause: unknown,
  ) {
    super(`pulumi ${what} failed:\n${run.log.slice(-4000)}`, { cause });
  }
}

function operationOf({ op, urn, type, diffs, detailedDiff }: StepEventMetadata): Operation {
  return {
    op,
    urn,
    type,
    changed: Object.keys(detailedDiff ?? {}).length > 0 ? Object.keys(detailedDiff ?? {}) : (diffs ?? []),
  };
}

type Listener = {
  onOutput: (text: string) => void;
  onError: (text: string) => void;
  onEvent: (event: EngineEvent) => void;
};

/** Collects what a run does: in a preview what is planned, otherwise what has ended well. */
async function observe(
  what: string,
  isPreview: boolean,
  work: (listener: Listener) => Promise<unknown>,
): Promise<EngineRun> {
  const run: EngineRun = { operations: [], log: "" };
  const add = (text: string) => {
    run.log += text;
  };
  const onEvent = (event: EngineEvent) => {
    const metadata = isPreview ? event.resourcePreEvent?.metadata : event.resOutputsEvent?.metadata;
    if (metadata !== undefined) run.operations.push(operationOf(metadata));
  };
  try {
    await work({ onOutput: add, onError: add, onEvent });
    return run;
  } catch (error) {
    throw new RunFailed(what, run, error);
  }
}

function environmentOf(options: PulumiOptions, served: readonly ServedProvider[]): Record<string, string> {
  const inherited = Object.entries(options.environment ?? process.env).filter(([, value]) => value !== undefined);
  const backend = path.join(options.home, "backend");
  fs.mkdirSync(backend, { recursive: true });
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
    PULUMI_DEBUG_PROVIDERS: debugProviders(served),
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_HOME: path.join(options.home, "pulumi"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

async function openStack(options: PulumiOptions, environment: Record<string, string>): Promise<Stack> {
  const { LocalWorkspace } = await import("@pulumi/pulumi/automation/index.js"); // slow to load, and only needed here
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: options.stack, workDir: options.folder },
    { envVars: environment, pulumiHome: path.join(options.home, "pulumi"), secretsProvider: "passphrase" },
  );
  await writeConfig(stack, options.config);
  return stack;
}

/** Texts as the program reads them -> values as a stack file holds them, which Pulumi checks against their types. */
function configValue(text: string): string | number | boolean | object {
  try {
    return JSON.parse(text);
  } catch {
    return text; // not JSON: a text
  }
}

/** All of the stack's configuration, in its file; what the CLI keeps there for itself stays. */
async function writeConfig({ name, workspace }: Stack, config: Record<string, string>): Promise<void> {
  const values = Object.entries(config).map(([key, text]) => [key, configValue(text)]);
  const settings = await workspace.stackSettings(name);
  await workspace.saveStackSettings(name, { ...settings, config: Object.fromEntries(values) });
}

/** Opens the stack, made where it is not there yet. @throws where `pulumi` is not on PATH */
export async function startPulumi(options: PulumiOptions): Promise<PulumiEngine> {
  const served = await Promise.all(options.providers.map(serveProvider));
  const environment = environmentOf(options, served);
  const close = async () => {
    await Promise.all(served.map((provider) => provider.close()));
  };
  const stack = await openStack(options, environment).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const common = { color: "never" } as const;
  return {
    version: stack.workspace.pulumiVersion,
    environment,
    preview: () => observe("preview", true, (listener) => stack.preview({ ...common, ...listener, diff: true })),
    up: () =>
      observe("up", false, (listener) => stack.up({ ...common, ...listener, diff: true, suppressProgress: true })),
    refresh: () => observe("refresh", false, (listener) => stack.refresh({ ...common, ...listener })),
    destroy: () => observe("destroy", false, (listener) => stack.destroy({ ...common, ...listener, diff: true })),
    async outputs() {
      const outputs = await stack.outputs();
      return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
    },
    exportState: async () => Buffer.from(JSON.stringify(await stack.exportStack())),
    setConfig: (config) => writeConfig(stack, config),
    cancel: () => stack.cancel(),
    close,
  };
}
