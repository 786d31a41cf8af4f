import { type MainOptions, runMain } from "../process/run-main";
import type { Command, Words } from "./command";
import { helpText } from "./help-text";
import { parseWords } from "./parse-words";

/** Runs a command with what was typed. A misspelt word or a failure is one line on standard error. */
export function runCommand<C extends Command>(
  command: C,
  main: (words: Words<C>) => Promise<number> | Promise<void>,
  options: MainOptions = {},
): Promise<void> {
  process.stdout.on("error", endWithReader);
  const run = (): Promise<number> | Promise<void> => {
    const words = parseWords(command, process.argv.slice(2));
    if (words !== "help") return main(words);
    process.stdout.write(helpText(command));
    return Promise.resolve(0);
  };
  return runMain(async () => (await run()) as number, options);
}

/** What reads our output has seen enough, as `head` has. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit();
}
