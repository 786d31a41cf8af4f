import * as pulumi from "@pulumi/pulumi";
import * as runtimeState from "@pulumi/pulumi/runtime/state";
import type { ResourceProvider } from "loopback-azure/provider/provider";
import { containsSecret, type PropertyMap, plainMap } from "loopback-azure/provider/values";
import { createDeployment } from "./deployment";
import { createMonitor } from "./monitor";
import { type EngineState, emptyState, type ResourceState, type Step } from "./state";
import { UpdateFailed } from "./update-failed";

export interface ProgramOptions {
  /** The Pulumi program: loads and evaluates it; its answer's members are the stack's outputs. It runs again on each call. */
  program: () => Promise<unknown>;
  /** All of the stack's config, with namespaces: `sealed-onion:vmSize`, `azure-native:location`. */
  config: Record<string, string>;
  /** Keys of `config` that are secret. */
  secretConfig?: string[];
  project: string;
  stack: string;
  /** The process works there while the program runs. @default where it is */
  cwd?: string;
  /** Added to the process's environment while the program runs. */
  env?: Record<string, string>;
  providers: readonly ResourceProvider[];
  /** What an earlier run left. @default nothing */
  previous?: EngineState;
  /** Nothing is done: no command runs, outputs that only the cloud knows are unknown. @default false */
  preview?: boolean;
  onStep?: (step: Step) => void;
}

export interface ProgramResult {
  /** The stack's outputs, secrets in clear, unknowns as Pulumi's well-known string. */
  outputs: PropertyMap;
  /** Names of the outputs that are secret. */
  secretOutputs: string[];
  steps: readonly Step[];
  resources: readonly ResourceState[];
  state: EngineState;
}

/** In Pulumi's runtime, but not among its typed exports: settings of its own for what runs inside. */
const { withLocalStorage } = runtimeState as unknown as { withLocalStorage<T>(work: () => T): T };

/** Where the process works and what its environment has is put back afterwards. */
async function within<T>(cwd: string | undefined, env: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const folder = process.cwd();
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  try {
    if (cwd !== undefined) process.chdir(cwd);
    Object.assign(process.env, env);
    return await work();
  } finally {
    process.chdir(folder);
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/**
 * Pulumi keeps a stack trace with each of its promises, for one that never ends. Many updates run in a test's process, which
 * would spend half of its time on them: an error inside has its message alone.
 */
async function withoutTraces<T>(work: () => Promise<T>): Promise<T> {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** While the program runs, a promise that fails with nobody waiting for it is the program's: an error in an `apply`. */
async function catchingRejections<T>(onError: (error: Error) => void, work: () => Promise<T>): Promise<T> {
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => onError(reason instanceof Error ? reason : new Error(String(reason))));
  try {
    const result = await work();
    await new Promise((resolve) => setImmediate(resolve)); // rejections are told after the microtasks
    return result;
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
}

function namespaced(config: Record<string, string>, namespace: string): Record<string, string> {
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${namespace}:`));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length + 1), value]));
}

const unusedMocks = {
  newResource: () => ({ id: undefined, state: {} }),
  call: () => ({}),
};

/**
 * Runs a Pulumi program with no CLI: under Pulumi's own mock runtime, whose resource monitor runs the providers. Knows
 * create, update, replace, delete, aliases, protection, ignored and replacing changes, previews and half-finished updates.
 * One run at a time in a process.
 * @throws UpdateFailed
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramResult> {
  const { preview = false, project, stack, providers, config } = options;
  for (const provider of providers) provider.configure?.(namespaced(config, provider.package));
  const previous = options.previous ?? emptyState();
  const deployment = createDeployment({
    providers,
    previous,
    preview,
    ...(options.onStep && { onStep: options.onStep }),
  });
  const errors: Error[] = [];
  let fail: () => void = () => {};
  const failed = new Promise<void>((resolve) => {
    fail = resolve;
  });
  function onError(error: Error): void {
    errors.push(error);
    fail();
  }
  const monitor = createMonitor({ stack, project, preview, deployment, providers, onError });

  async function evaluate(): Promise<void> {
    await pulumi.runtime.setMocks(unusedMocks, project, stack, preview);
    Object.assign(pulumi.runtime.getMonitor() as object, monitor.client);
    pulumi.runtime.setAllConfig(config, options.secretConfig ?? []);
    await pulumi.runtime.runInPulumiStack(options.program);
    await pulumi.runtime.disconnect();
    await deployment.finish();
  }

  await within(options.cwd, options.env ?? {}, () =>
    catchingRejections(onError, async () => {
      await withoutTraces(() => Promise.race([withLocalStorage(evaluate).catch(onError), failed]));
      if (errors.length > 0) monitor.end();
      await monitor.settled();
    }),
  );
  if (errors.length > 0) throw new UpdateFailed(distinct(errors), deployment.state(), deployment.steps);
  return resultOf(deployment.state(), deployment.steps);
}

function distinct(errors: Error[]): Error[] {
  return errors.filter((error, index) => errors.findIndex((other) => other.message === error.message) === index);
}

function resultOf(state: EngineState, steps: readonly Step[]): ProgramResult {
  const root = state.resources.find((resource) => resource.type === "pulumi:pulumi:Stack");
  const raw = root?.outputs ?? {};
  const secretOutputs = Object.keys(raw).filter((name) => containsSecret(raw[name]));
  return { outputs: plainMap(raw), secretOutputs, steps, resources: state.resources, state };
}
