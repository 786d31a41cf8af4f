import { spawn } from "node:child_process";
import type * as net from "node:net";
import { takeLines } from "../../process/whole-lines";
import { type Asked, sharedEnvironment } from "./asked";
import type { Session } from "./session-socket";

/** What a helper says on standard output, a line of JSON each: a line for the command of this number, or its end. */
export interface HelperSays {
  readonly id: number;
  readonly line?: string;
}

/** What it is asked on standard input, where the session is the first line. */
export type HelperAsked = Asked & { readonly id: number };

export interface Helper {
  /**
   * Has it do the work of one command.
   * @param say gets each line for that command
   * @returns when it has said all; at once where it has ended, or cannot do it: that command then works alone
   */
  ask(asked: Asked, say: (line: string) => void): Promise<void>;
}

/**
 * Starts the process that works for all commands. It ends with this one: its standard input, which only this process
 * holds, ends then.
 * @param words what starts it, @param folder where commands work: their paths are relative to it
 * @param first the command that it is started for. What a program reads of its environment at its start holds for all:
 * a command whose environment differs works alone
 */
export function startHelper(words: readonly string[], folder: string, session: Session, first: Asked): Helper {
  const env = sharedEnvironment(first.environment);
  const child = spawn(process.execPath, words, { cwd: folder, env, stdio: ["pipe", "pipe", "ignore"] });
  child.unref();
  const { stdin, stdout } = child as unknown as { stdin: net.Socket; stdout: net.Socket };
  for (const stream of [stdin, stdout]) stream.unref().on("error", () => {}); // "close" says so, too
  const waiting = new Map<number, { say(line: string): void; end(): void }>();
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
    for (const one of waiting.values()) one.end();
  };
  child.once("error", end).once("close", end);
  takeLines(stdout, (text) => {
    const { id, line } = JSON.parse(text) as HelperSays;
    if (line === undefined) waiting.get(id)?.end();
    else waiting.get(id)?.say(line);
  });
  stdin.write(`${JSON.stringify(session)}\n`);
  let count = 0;
  return {
    async ask(asked, say) {
      const isAlike = JSON.stringify(sharedEnvironment(asked.environment)) === JSON.stringify(env);
      if (hasEnded || !isAlike) return;
      count += 1;
      const id = count;
      const asksFor: HelperAsked = { id, ...asked };
      stdin.write(`${JSON.stringify(asksFor)}\n`);
      await new Promise<void>((resolve) => waiting.set(id, { say, end: resolve }));
      waiting.delete(id);
    },
  };
}
