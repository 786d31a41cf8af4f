#!/usr/bin/env node
// Runs one TypeScript program of this repository, by its name in programs.json or by the path of its file:
// `node components/start/run.mjs seal [arguments]`. A command in Pulumi's state names a program, never a file: a file may
// move, and the state of an older deployment must still find what it is to run.
// Pulumi starts one such program a secret, so its start-up counts: see bundle.cjs.
import "./node-version.cjs";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundleOf, shippedBundle } from "./bundle.cjs";
import { guardProcess } from "./process-guard.cjs";

guardProcess();
const require = createRequire(import.meta.url);
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
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
