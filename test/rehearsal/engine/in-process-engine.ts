import * as fs from "node:fs";
import * as path from "node:path";
import type { ResourceProvider } from "loopback-azure/provider/provider";
import { isMap, isSecret } from "loopback-azure/provider/values";
import { type Engine, type EngineRun, type Operation, RunFailed } from "./engine";
import { runProgram } from "./in-process";
import { loadProgram } from "./load-program";
import { type EngineState, emptyState, nameOf, type Step, summary } from "./state";
import { UpdateFailed } from "./update-failed";
import { destroy, refresh } from "./whole-stack";

export interface InProcessOptions {
  /** The Pulumi program: a working copy. */
  folder: string;
  project: string;
  stack: string;
  /** With namespaces: `sealed-onion:vmSize`; objects are JSON. */
  config: Record<string, string>;
  providers: readonly ResourceProvider[];
}

function operationsOf(steps: readonly Step[]): Operation[] {
  return steps.map(({ op, urn, newState, oldState, detailedDiff }) => ({
    op,
    urn,
    type: (newState ?? oldState)?.type ?? "",
    changed: Object.keys(detailedDiff ?? {}),
  }));
}

/** Secrets are masked in a plan that people read. */
function masked(value: unknown): unknown {
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(masked);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)])) : value;
}

/** A replacement is one step in a plan. */
function planOf(steps: readonly Step[]): string {
  const planned = steps.filter(({ op }) => op !== "create-replacement" && op !== "delete-replaced");
  return JSON.stringify({ steps: planned.map(masked), diagnostics: [], changeSummary: summary(planned) });
}

function pulumiVersion(folder: string): string {
  const file = path.join(folder, "node_modules", "@pulumi", "pulumi", "package.json");
  return String(JSON.parse(fs.readFileSync(file, "utf8")).version);
}

/** A stack whose engine is this process: no CLI, no files but the program's own. */
export function startInProcess(options: InProcessOptions): Engine {
  const { folder, project, stack, providers } = options;
  const program = loadProgram(folder);
  let config = options.config;
  let state: EngineState = emptyState();
  let outputs: Record<string, unknown> = {};
  let log = "";
  for (const provider of providers)
    provider.onLog?.((urn, line) => {
      log += `${nameOf(urn)}: ${line}\n`;
    });

  async function run(what: string, work: () => Promise<readonly Step[]>): Promise<EngineRun> {
    log = "";
    try {
      return { operations: operationsOf(await work()), log };
    } catch (error) {
      if (!(error instanceof UpdateFailed)) throw error;
      throw new RunFailed(what, { operations: operationsOf(error.steps), log: `${log}${error.message}\n` }, error);
    }
  }

  async function evaluate(preview: boolean): Promise<readonly Step[]> {
    try {
      const common = { program, config, project, stack, cwd: folder, providers };
      const done = await runProgram({ ...common, previous: state, preview });
      if (!preview) {
        state = done.state;
        outputs = done.outputs;
      }
      return done.steps;
    } catch (error) {
      if (!preview && error instanceof UpdateFailed) state = error.state;
      throw error;
    }
  }

  return {
    name: "in-process",
    version: pulumiVersion(folder),
    preview: () => run("preview", () => evaluate(true)),
    previewJson: async () => planOf(await evaluate(true)),
    up: () => run("up", () => evaluate(false)),
    refresh: () =>
      run("refresh", async () => {
        const found = await refresh(state, providers);
        state = found.state;
        return found.steps;
      }),
    destroy: () =>
      run("destroy", async () => {
        try {
          const done = await destroy(state, providers);
          state = done.state;
          return done.steps;
        } catch (error) {
          if (error instanceof UpdateFailed) state = error.state;
          throw error;
        }
      }),
    outputs: async () => outputs,
    exportState: async () => Buffer.from(JSON.stringify(state)),
    async setConfig(next) {
      config = next;
    },
    close: async () => {},
  };
}
