import * as fs from "node:fs";
import * as path from "node:path";

/** A program that is neither on PATH nor at the given path. */
export class ProgramMissing extends Error {
  constructor(readonly program: string) {
    super(`${program} is not on PATH`);
  }
}

/**
 * The full path of an executable, or undefined.
 * @param program a name, looked up on PATH, or a path
 */
export function findOnPath(program: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  if (program.includes("/")) return isExecutable(program) ? program : undefined;
  const folders = (environment.PATH ?? "").split(path.delimiter);
  return folders.map((folder) => path.join(folder || ".", program)).find(isExecutable);
}

/** The full path of a program. @throws ProgramMissing */
export function requireOnPath(program: string, environment: NodeJS.ProcessEnv = process.env): string {
  const found = findOnPath(program, environment);
  if (found === undefined) throw new ProgramMissing(program);
  return found;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false; // not there, or not ours to run: the next folder of PATH decides
  }
}
