import * as path from "node:path";
import { stackFolder } from "../../config/stack-folder";
import { runChild } from "../../process/child-process";
import { required } from "../../process/environment";
import { ProgramMissing } from "../../process/find-program";
import { UsageError } from "../../process/usage-error";
import { fileStamp } from "../disk/file-digest";
import { openDisk } from "../upload/disk";
import { readTarget, type UploadTarget } from "../upload/request";
import { factsOnDisk, systemOf, writeFacts } from "./facts-file";
import { nixBuild } from "./nix-build";

/** What is to be built, and for which blob. */
export interface BuildRequest extends UploadTarget {
  readonly stack: string;
  /** The text of `facts.json`. */
  readonly facts: string;
  /** `nix`, the builder's argv as JSON, or `vhd:PATH`. */
  readonly builder: string;
}

/** A disk on this machine. */
export interface BuiltDisk {
  /** The path of its file, relative to the project's root where it lies inside. */
  readonly vhd: string;
  /** See `fileStamp()`: a later upload sees by it whether the file is still this one. */
  readonly stamp: string;
}

/** From STACK, FACTS (else those on disk), BUILDER, BLOB_URL, DIGEST and GENERATION. @throws UsageError */
export function readBuildRequest(environment: NodeJS.ProcessEnv): BuildRequest {
  const stack = required(environment, "STACK");
  const builder = required(environment, "BUILDER");
  return { ...readTarget(environment), stack, builder, facts: environment.FACTS || factsOnDisk(stack) };
}

/**
 * Builds or takes a stack's disk and checks it.
 * @throws if it cannot be built, or is no disk that boots on this generation
 */
export async function buildDisk(request: BuildRequest): Promise<BuiltDisk> {
  writeFacts(request.stack, request.facts);
  const file = await makeDisk(request);
  await openDisk(file);
  const relative = path.relative("", file);
  return { vhd: relative.startsWith("..") ? path.resolve(file) : relative, stamp: fileStamp(file) };
}

function makeDisk({ builder, digest, facts, stack }: BuildRequest): string | Promise<string> {
  if (builder === "nix") return nixBuild({ stack, digest, system: systemOf(facts) });
  if (builder.startsWith("vhd:")) return builder.slice("vhd:".length);
  return runBuilder(readCommand(builder), stack);
}

function readCommand(builder: string): readonly [string, ...string[]] {
  try {
    const [program, ...rest] = JSON.parse(builder) as string[];
    if (typeof program === "string") return [program, ...rest];
  } catch {} // said below
  throw new UsageError(`BUILDER must be "nix", "vhd:PATH" or a command as a JSON array, got "${builder}"`);
}

async function run(program: string, rest: readonly string[], environment: NodeJS.ProcessEnv) {
  try {
    return await runChild(program, rest, { environment, stderr: "inherit" });
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new Error(`the builder '${program}' is not on PATH: install it, or change sealed-onion:image's builder`);
  }
}

/** Runs image.builder. It finds the stack's facts and sealed files in STACK_DIRECTORY and prints the disk's path. */
async function runBuilder([program, ...rest]: readonly [string, ...string[]], stack: string): Promise<string> {
  const environment = { ...process.env, STACK: stack, STACK_DIRECTORY: stackFolder(stack) };
  const { code, signal, stdout } = await run(program, rest, environment);
  if (code !== 0) throw new Error(`the builder '${program}' failed: ${signal ?? `exit code ${code}`}`);
  const file = stdout.toString("utf8").trim().split("\n").at(-1)?.trim();
  if (!file) throw new Error(`the builder '${program}' printed no path: it has to print its disk's path last`);
  return file;
}
