import { type ChildResult, runChild } from "../../process/child-process";
import { ProgramMissing } from "../../process/find-program";
import { SourceError } from "./source-error";

/** No secret that a VM needs in one file is larger. Bytes. */
const MAXIMUM_SIZE = 16 * 1024 * 1024;

/** A person finds a passphrase in this time, and a service answers. Milliseconds. */
const PATIENCE = { tellAfterMs: 15_000, limitMs: 300_000 };

/**
 * Runs the program of a source. It may ask on the terminal where there is one; its standard error is shown there only,
 * as a failing tool may print what it holds into a log.
 * @param what the source, for messages
 * @throws SourceError if it is missing, or does not end in time
 */
export async function printed(
  what: string,
  program: string,
  programArguments: readonly string[],
  { tellAfterMs, limitMs } = PATIENCE,
): Promise<ChildResult> {
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const tell = () => console.error(`${what} has not answered yet, waiting for it for up to ${limitMs / 60_000} min`);
  const timer = setTimeout(tell, tellAfterMs);
  try {
    const result = await runChild(program, programArguments, {
      terminal,
      stderr: terminal ? "inherit" : "collect",
      maximumOutput: MAXIMUM_SIZE,
      deadlineMs: limitMs,
    });
    if (!result.timedOut) return result;
    result.stdout.fill(0);
    throw new SourceError(
      `${what} did not end within ${limitMs / 60_000} min: run it by hand to see what it waits for`,
    );
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new SourceError(`${what} is not on PATH: install ${program}, or change the secret's source`, true);
  } finally {
    clearTimeout(timer);
  }
}
