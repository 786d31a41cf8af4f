#!/usr/bin/env node
// Runs one TypeScript program of this repository, by its name in programs.json or by the path of its file:
// `node components/start/run.mjs seal [arguments]`. A command in Pulumi's state names a program, never a file: a file may
// move, and the state of an older deployment must still find what it is to run.
// This is the only ES module: the others would have to be read by Node's second loader, too.
import { createRequire } from "node:module";

createRequire(import.meta.url)("./run.cjs");
