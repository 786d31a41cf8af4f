import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import type { buildSync } from "esbuild";

/**
 * The Pulumi program of a folder, to be evaluated anew on each call: a module that was imported once would declare
 * nothing the second time. It is bundled without its packages, so that it shares this process's Pulumi runtime.
 * @param folder where `index.ts` and `node_modules` are
 */
export function loadProgram(folder: string): () => Promise<unknown> {
  const load = createRequire(path.join(fs.realpathSync(folder), "index.js"));
  const esbuild = load("esbuild") as { buildSync: typeof buildSync };
  return async () => {
    const { outputFiles } = esbuild.buildSync({
      absWorkingDir: folder,
      entryPoints: [path.join(folder, "index.ts")],
      bundle: true,
      write: false,
      platform: "node",
      target: "node20",
      format: "cjs",
      packages: "external",
      sourcemap: "inline",
      logLevel: "error",
    });
    const code = outputFiles[0]?.text ?? "";
    const file = path.join(
      folder,
      ".cache",
      `program-${createHash("sha256").update(code).digest("hex").slice(0, 16)}.cjs`,
    );
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, code);
    const loaded = load.resolve(file);
    delete load.cache[loaded];
    return load(loaded);
  };
}
