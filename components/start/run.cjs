// What run.mjs does. Pulumi starts one such program a secret, so its start-up counts: see bundle.cjs.
require("./node-version.cjs");
const { existsSync } = require("node:fs");
const path = require("node:path");
const { bundleOf, shippedBundle } = require("./bundle.cjs");
const { guardProcess } = require("./process-guard.cjs");

guardProcess();
const root = path.join(__dirname, "..", "..");
const programs = require("./programs.json");
const [program, ...programArguments] = process.argv.slice(2);
if (!program) {
  console.error("which program? type: node components/start/run.mjs seal [arguments]");
  process.exit(2);
}
const entry = Object.hasOwn(programs, program) ? programs[program] : program;
const shipped = shippedBundle(entry);
if (!shipped && !existsSync(path.join(root, "node_modules", "esbuild", "package.json"))) {
  console.error("the npm packages are not installed: type npm ci, then this again");
  process.exit(1);
}
if (!shipped && !existsSync(path.resolve(root, entry))) {
  console.error(`there is no program ${program}: ${Object.keys(programs).sort().join(", ")}`);
  process.exit(2);
}
process.argv = [process.argv[0], path.resolve(root, entry), ...programArguments];
require(shipped ?? bundleFor(entry));

function bundleFor(file) {
  try {
    return bundleOf(file);
  } catch (error) {
    console.error(error.message);
    return process.exit(1);
  }
}
