import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import type { EngineEvent, Stack, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { debugProviders, type ServedProvider, serveProvider } from "loopback-azure/provider/grpc-server";
import type { ResourceProvider } from "loopback-azure/provider/provider";
import { findOnPath } from "../../../components/process/find-program";
import { type Engine, type EngineRun, type Operation, RunFailed } from "./engine";

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

/** A provider that does not let go is left behind. */
const LONGEST_END_MS = 60_000;

/** A stack under Pulumi's real engine, with a file backend and a passphrase. */
export interface PulumiEngine extends Engine {
  readonly name: "pulumi";
  /** What every `pulumi` of this stack gets: to start one by hand, as an interruption wants. */
  readonly environment: Record<string, string>;
  /** Gives up the lock that a killed run has left. */
  cancel(): Promise<void>;
  /** Ends a run that is under way, as Ctrl-C does, and waits until it is over. */
  close(): Promise<void>;
}

/** Where the CLI is, or undefined. */
export function findPulumi(): string | undefined {
  return findOnPath("pulumi");
}

/** Whether Pulumi finds the released plugin of a package, so that nothing has to stand in for it. */
export function hasPlugin(name: string): boolean {
  return findOnPath(`pulumi-resource-${name}`) !== undefined;
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
    throw new RunFailed(`pulumi ${what}`, run, error);
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
    // Without providers of ours Pulumi brings its own.
    ...(served.length > 0 && {
      PULUMI_DEBUG_PROVIDERS: debugProviders(served),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    }),
    PULUMI_HOME: path.join(options.home, "pulumi"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    no_grpc_proxy: "127.0.0.1,localhost", // Node's gRPC would ask a proxy even for the engine beside it
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

/** What the Automation API does not offer. */
async function previewJson({ folder, stack }: PulumiOptions, environment: Record<string, string>): Promise<string> {
  const command = ["preview", "--json", "--non-interactive", "--stack", stack];
  const options = { cwd: folder, env: environment, maxBuffer: 256 * 1024 * 1024 };
  return (await promisify(execFile)("pulumi", command, options)).stdout;
}

/** As at a terminal: a preview comes first. It refuses what is protected, when nothing is deleted yet. */
async function destroyAfterPreview(stack: Stack, signal: AbortSignal): Promise<EngineRun> {
  const options = { color: "never", diff: true, signal } as const;
  await observe("destroy", true, (listener) => stack.previewDestroy({ ...options, ...listener })).catch((error) => {
    throw error instanceof RunFailed ? new RunFailed("pulumi destroy", { ...error.run, operations: [] }, error) : error;
  });
  return observe("destroy", false, (listener) => stack.destroy({ ...options, ...listener }));
}

/** Opens the stack, made where it is not there yet. Needs `pulumi` on PATH. */
export async function startPulumi(options: PulumiOptions): Promise<PulumiEngine> {
  const served = await Promise.all(options.providers.map(serveProvider));
  const environment = environmentOf(options, served);
  const ending = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  /** Runs that must be over before anybody removes what they make. */
  const tracked = (work: Promise<EngineRun>): Promise<EngineRun> => {
    running = work.catch(() => undefined); // its caller sees how it failed
    return work;
  };
  const close = async () => {
    ending.abort();
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, LONGEST_END_MS).unref())]);
    await Promise.all(served.map((provider) => provider.close()));
  };
  const stack = await openStack(options, environment).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const common = { color: "never", signal: ending.signal } as const;
  return {
    name: "pulumi",
    version: stack.workspace.pulumiVersion,
    environment,
    preview: () => observe("preview", true, (listener) => stack.preview({ ...common, ...listener, diff: true })),
    previewJson: () => previewJson(options, environment),
    up: () =>
      tracked(
        observe("up", false, (listener) => stack.up({ ...common, ...listener, diff: true, suppressProgress: true })),
      ),
    refresh: () => observe("refresh", false, (listener) => stack.refresh({ ...common, ...listener })),
    destroy: () => tracked(destroyAfterPreview(stack, ending.signal)),
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
