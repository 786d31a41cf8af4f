import { type ChildResult, ProgramMissing, runChild } from "../../process/child-process";
import { SourceError } from "./source-error";

/** No secret that a VM needs in one file is larger. Bytes. */
const maximumSize = 16 * 1024 * 1024;

/**
 * Runs the program of a source. It may ask on the terminal where there is one; its standard error is shown there only,
 * as a failing tool may print what it holds into a log.
 * @param what the source, for messages
 */
export async function printed(
  what: string,
  program: string,
  programArguments: readonly string[],
): Promise<ChildResult> {
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
