import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";

/**
 * The Pulumi program of a folder, to be evaluated again on each call: a module that was imported once would declare
 * nothing the second time. It is bundled as for Pulumi, without its packages, so that it shares this process's Pulumi
 * runtime.
 * @param folder where `index.ts`, `components/start` and `node_modules` are
 */
export function loadProgram(folder: string): () => Promise<unknown> {
  const load = createRequire(path.join(fs.realpathSync(folder), "index.js"));
  const { bundleOf } = load("./components/start/bundle.cjs") as { bundleOf: (entry: string) => string };
  leavePromisesTraces();
  return async () => {
    const bundle = load.resolve(bundleOf("index.ts"));
    delete load.cache[bundle];
    return load(bundle);
  };
}

let areLeft = false;

/**
 * Pulumi keeps a trace with each of its promises, for one that never ends. Many updates run in this process, which would
 * spend half of its time on them.
 */
function leavePromisesTraces(): void {
  const format = Error.prepareStackTrace;
  if (areLeft || format === undefined) return;
  areLeft = true;
  Error.prepareStackTrace = (error, frames) =>
    frames[0]?.getFunctionName() === "debuggablePromise" ? "(left out)" : format(error, frames);
}
