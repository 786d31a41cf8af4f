import { type ChildResult, ProgramMissing, runChild } from "../../process/child-process";
import { SourceError } from "./source-error";

/** No secret that a VM needs in one file is larger. Bytes. */
const maximumSize = 16 * 1024 * 1024;

/**
 * What a `command` source prints, byte for byte. It may ask on the terminal where there is one; its standard error is
 * shown there only, as a failing tool may print what it holds into a log.
 * @param argv the program and its arguments
 * @throws SourceError if it is missing, fails, or prints nothing
 */
export async function readCommand(argv: readonly string[]): Promise<Buffer> {
  const [program = "", ...programArguments] = argv;
  const what = `source command:${program}`;
  const result = await printed(what, program, programArguments);
  if (result.stdout.length > 0 && result.code === 0) return result.stdout;
  result.stdout.fill(0);
  if (result.code === 0) throw new SourceError(`${what} prints nothing: run it by hand to see why`);
  const ending = result.code === null ? `was ended by ${result.signal}` : `ended with code ${result.code}`;
  throw new SourceError(`${what} ${ending}: run it by hand to see why (its messages may hold the secret)`);
}

/** Runs the program of a source. */
export async function printed(what: string, program: string, programArguments: string[]): Promise<ChildResult> {
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  try {
    return await runChild(program, programArguments, {
      terminal,
      stderr: terminal ? "inherit" : "collect",
      maximumOutput: maximumSize,
    });
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new SourceError(`${what} is not on PATH: install ${program}, or change the secret's source`, true);
  }
}
