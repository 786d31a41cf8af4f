import { Interrupted } from "./interruption";
import { UsageError } from "./usage-error";
import { wordsOf } from "./words";

export interface MainOptions {
  /** What the line of an error begins with. @default nothing */
  readonly label?: string;
  /** The exit code of a failure that is neither a `UsageError` (2) nor an interruption. @default 1 */
  readonly failureCode?: number;
  /** Ends with an exit code at once, whatever connection is still open. @default ends when nothing is left to do */
  readonly exits?: boolean;
}

/**
 * Runs a program's main function, which may return an exit code. Whatever it fails with, also in a promise that no code awaits,
 * is said in words on standard error: no stack trace, no code of the operating system.
 */
export async function runMain(main: () => Promise<number> | Promise<void>, options: MainOptions = {}): Promise<void> {
  process.on("uncaughtException", (error) => process.exit(failureOf(error, options)));
  const code = await exitCodeOf(main, options);
  if (code === undefined) return;
  process.exitCode = code;
  if (options.exits) process.exit();
}

async function exitCodeOf(main: () => Promise<number> | Promise<void>, options: MainOptions) {
  try {
    return (await main()) ?? undefined;
  } catch (error) {
    return failureOf(error, options);
  }
}

function failureOf(error: unknown, { label, failureCode = 1 }: MainOptions): number {
  const message = wordsOf(error);
  console.error(label ? `${label}: ${message}` : message);
  if (error instanceof UsageError) return 2;
  return error instanceof Interrupted ? error.exitCode : failureCode;
}
