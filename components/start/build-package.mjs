// What `npm pack` runs first: JavaScript and types into dist/, as nobody's Node reads TypeScript in node_modules. The
// sources stay out of the package: its programs are dist/programs/*.cjs, which bundle.cjs finds.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { shippedName } from "./bundle.cjs";

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "..", "..");
const dist = path.join(root, "dist");

/** Packages stay outside: the project that uses this one has them, and Pulumi's runtime must be the project's own. */
function build(source, outfile) {
  buildSync({
    absWorkingDir: root,
    entryPoints: [source],
    outfile: path.join(dist, outfile),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    packages: "external",
    define: { SHIPPED: "true" }, // see config/project.ts
    logLevel: "error",
  });
}

rmSync(dist, { recursive: true, force: true });
build("components/index.ts", "index.cjs");
const parts = ["components/secrets/seal/seal-alone.ts"]; // what programs load by run.mjs
for (const source of [...Object.values(require("./programs.json")), ...parts])
  build(source, path.join("programs", shippedName(source)));
const compiler = path.join(path.dirname(require.resolve("typescript/package.json")), "bin", "tsc");
const project = ["--project", path.join(here, "package.tsconfig.json")];
process.exitCode = spawnSync(process.execPath, [compiler, ...project], { stdio: "inherit" }).status ?? 1;
