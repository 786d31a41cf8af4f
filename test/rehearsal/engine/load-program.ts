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
  return async () => {
    const bundle = load.resolve(bundleOf("index.ts"));
    delete load.cache[bundle];
    return load(bundle);
  };
}
