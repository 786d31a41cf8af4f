import * as fs from "node:fs";
import * as path from "node:path";

/** What `pulumi up` needs of a checkout; everything else (tests, benches, git) stays out of a rehearsal's copy. */
const programFiles = [
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
  for (const name of programFiles) {
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
}
