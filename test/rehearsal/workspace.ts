import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";

/** What `pulumi up` needs of a checkout; everything else (tests, benches, git) stays out of a rehearsal's copy. */
export const PROGRAM_FILES = [
  "Pulumi.yaml",
  "Pulumi.dev.yaml",
  "components",
  "index.ts",
  "nix",
  "package.json",
  "test/rehearsal",
  "tsconfig.json",
];

/**
 * Copies the program into a folder, so that a rehearsal writes `nix/stacks/` there and not into the user's checkout.
 * Stacks of real deployments are not copied; `node_modules` is linked.
 */
export function copyProgram(checkout: string, folder: string): void {
  for (const name of PROGRAM_FILES) {
    const source = path.join(checkout, name);
    if (!fs.existsSync(source)) continue;
    const realStacks = path.join(checkout, "nix", "stacks");
    fs.cpSync(source, path.join(folder, name), {
      recursive: true,
      preserveTimestamps: true,
      filter: (file) => !(file.startsWith(`${realStacks}${path.sep}`) && fs.statSync(file).isDirectory()),
    });
  }
  fs.symlinkSync(path.join(checkout, "node_modules"), path.join(folder, "node_modules"), "dir");
  copyBundles(checkout, folder);
}

/** The Pulumi program, and what stands for Nix in a rehearsal. */
const ENTRIES = ["index.ts", "test/rehearsal/stack-image.ts", "test/rehearsal/booted/image.ts"];

/** The programs that an update starts. */
const STARTED = [
  ...["signing-key", "seal", "seal-helper", "build-system", "build-image", "upload-image", "publish-system"],
  ...["await-machine", "prune-images"],
];

/**
 * A program's bundle is made of the files that were copied: it is made in the checkout, once a change, and not in each copy
 * again. A copy looks itself whether its bundles are of its own files.
 */
export function copyBundles(checkout: string, folder: string): void {
  const load = createRequire(path.join(checkout, "package.json"));
  const programs: Readonly<Record<string, string>> = load("./components/start/programs.json");
  const { bundleOf }: { bundleOf(entry: string): string } = load("./components/start/bundle.cjs");
  const bundles = [...STARTED.flatMap((name) => programs[name] ?? []), ...ENTRIES].map((entry) => bundleOf(entry));
  for (const bundle of bundles)
    for (const file of [bundle, `${bundle}.json`]) {
      const copy = path.join(folder, path.relative(checkout, file));
      fs.mkdirSync(path.dirname(copy), { recursive: true, mode: 0o755 });
      fs.copyFileSync(file, copy);
    }
}
