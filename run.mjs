// Runs one TypeScript program of this repository: `node run.mjs commands/seal.ts [arguments]`.
// Pulumi starts one such program a secret, so its start-up counts: see bundle.cjs.
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundleOf } from "./bundle.cjs";

const root = path.dirname(fileURLToPath(import.meta.url));
const [entry, ...programArguments] = process.argv.slice(2);
if (!entry) {
  console.error("which program? type: node run.mjs commands/seal.ts [arguments]");
  process.exit(2);
}
const bundle = bundleOf(entry);
process.argv = [process.argv[0], path.resolve(root, entry), ...programArguments];
createRequire(import.meta.url)(bundle);
