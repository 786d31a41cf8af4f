import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type ChildResult, runChild } from "../../components/process/child-process";

const root = process.cwd();
const NAME = "sealed-onion";

/** A project of somebody else's: the tarball is installed in it, and nothing of this checkout is in reach. */
export interface OwnProject {
  readonly folder: string;
  /** Paths in the tarball. */
  readonly packed: readonly string[];
  /** The program as a module, evaluated again at each call. */
  load(): Promise<unknown>;
  /** A command of the package, typed in the folder. */
  run(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<ChildResult>;
}

/** Packs this package as a release does. @param folder for the tarball @returns its path */
export function packPackage(folder: string): string {
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { encoding: "utf8" });
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ filename: string }];
  return path.join(folder, filename);
}

/**
 * Installs the tarball and one example. Its dependencies are linked from here: npm would fetch the same ones.
 * @param folder an empty one, with its real path
 */
export function ownProject(tarball: string, folder: string, example: string): OwnProject {
  const modules = path.join(folder, "node_modules");
  fs.mkdirSync(path.join(modules, NAME), { recursive: true });
  for (const name of fs.readdirSync(path.join(root, "node_modules"))) {
    if (!name.startsWith(".") && name !== NAME) {
      fs.symlinkSync(path.join(root, "node_modules", name), path.join(modules, name));
    }
  }
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", path.join(modules, NAME)]);
  fs.cpSync(path.join(root, "test", "examples", example), folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: example, private: true }));
  const list = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" });
  return {
    folder,
    packed: list
      .trim()
      .split("\n")
      .map((file) => file.replace(/^package\//, "")),
    load: () => load(folder),
    run(words, environment) {
      const run = path.join(folder, "node_modules", NAME, "components", "start", "run.mjs");
      // A shell changes into the folder: this process works elsewhere, and its Azure must go on answering.
      const inFolder = ["-c", 'cd "$0" && exec "$@"', folder, process.execPath, run, ...words];
      return runChild("sh", inFolder, { environment });
    },
  };
}

/** What TypeScript says of the programs in these folders below `base`; empty where their types are right. */
export function checkTypes(base: string, folders: readonly string[]): string {
  const compiler = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "--noEmit"];
  const how = ["--module", "nodenext", "--target", "es2022", "--types", "node", ...strict];
  const programs = folders.map((folder) => path.join(base, folder, "index.ts"));
  return spawnSync(process.execPath, [compiler, ...how, ...programs], {
    cwd: path.join(base, `${folders[0]}`),
    encoding: "utf8",
  }).stdout;
}

/** As Pulumi loads it: TypeScript to JavaScript, packages from node_modules. */
async function load(folder: string): Promise<unknown> {
  const { buildSync } = await import("esbuild");
  const { createRequire } = await import("node:module");
  const outfile = path.join(folder, "index.cjs");
  buildSync({
    ...{ entryPoints: [path.join(folder, "index.ts")], outfile, bundle: true, platform: "node", format: "cjs" },
    ...{ packages: "external", logLevel: "error", alias: {}, tsconfigRaw: {} },
  });
  const require = createRequire(outfile);
  for (const file of [outfile, require.resolve(NAME)]) delete require.cache[file];
  return require(outfile);
}
