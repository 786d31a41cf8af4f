import * as path from "node:path";
import type { ImageGeneration } from "../../image/partition-table";
import { ProgramMissing, runChild } from "../child-process";
import { openDisk } from "../upload/disk";
import { UsageError } from "../upload/request";
import { stackDirectory } from "./facts-file";
import { nixBuild } from "./nix-build";

export interface BuildRequest {
  readonly stack: string;
  /** `nix`, the builder's argv as JSON, or `vhd:PATH`. */
  readonly builder: string;
  readonly generation: ImageGeneration;
}

/**
 * Builds or takes a stack's disk and checks it.
 * @returns the path of its file, relative to the project's root where it lies inside
 * @throws if it cannot be built, or is no disk that boots on this generation
 */
export async function buildDisk({ builder, generation, stack }: BuildRequest): Promise<string> {
  const file = await makeDisk(builder, stack);
  await openDisk(file, generation);
  const relative = path.relative("", file);
  return relative.startsWith("..") ? path.resolve(file) : relative;
}

function makeDisk(builder: string, stack: string): string | Promise<string> {
  if (builder === "nix") return nixBuild(stack);
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
  const environment = { ...process.env, STACK: stack, STACK_DIRECTORY: stackDirectory(stack) };
  const { code, signal, stdout } = await run(program, rest, environment);
  if (code !== 0) throw new Error(`the builder '${program}' failed: ${signal ?? `exit code ${code}`}`);
  const file = stdout.toString("utf8").trim().split("\n").at(-1)?.trim();
  if (!file) throw new Error(`the builder '${program}' printed no path: it has to print its disk's path last`);
  return file;
}
