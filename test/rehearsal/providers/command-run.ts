import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** One run of a command resource's program. */
export interface CommandRun {
  /** Program and arguments; the command's text comes last. */
  interpreter: string[];
  command: string;
  folder: string;
  environment: NodeJS.ProcessEnv;
  /** Empty: standard input is empty. */
  stdin: string;
  /** Lines as they come. */
  log: { stdout: boolean; stderr: boolean; line: (text: string) => void };
  /** Ends it, as Go's exec ends a command whose context is cancelled. */
  gone?: AbortSignal | undefined;
}

export interface CommandOutput {
  stdout: string;
  stderr: string;
}

const running = new Set<ChildProcess>();
let watching = false;

/** Ends every command that is under way. */
export function killCommands(): void {
  for (const child of running) kill(child);
}

/** As the plugin does it: what the command has started itself is not killed with it. */
function kill(child: ChildProcess): void {
  child.kill("SIGKILL");
}

/** A process group of its own, which does not outlive this process. */
function start(run: CommandRun): ChildProcess {
  const [program = "/bin/sh", ...rest] = [...run.interpreter, run.command];
  const child = spawn(program, rest, {
    cwd: run.folder,
    env: run.environment,
    detached: true,
    stdio: [run.stdin === "" ? "ignore" : "pipe", "pipe", "pipe"],
  });
  running.add(child);
  run.gone?.addEventListener("abort", () => running.has(child) && kill(child));
  if (!watching) process.once("exit", killCommands);
  watching = true;
  return child;
}

/** As Go's exec says it. */
function endOf(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined;
  if (signal === null) return `exit status ${code}`;
  const names: Record<string, string> = {
    SIGKILL: "killed",
    SIGTERM: "terminated",
    SIGINT: "interrupt",
    SIGHUP: "hangup",
  };
  return `signal: ${names[signal] ?? `signal ${constants.signals[signal]}`}`;
}

function trimmed(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function gather(stream: Readable, add: (text: string) => void, line: ((text: string) => void) | undefined): void {
  stream.setEncoding("utf8").on("data", add);
  if (line) createInterface({ input: stream }).on("line", line);
}

/**
 * Runs it to its end. Throws, in pulumi-command's words, with everything it printed, if it fails:
 * `exit status 1: running "false":\n`.
 */
export function runCommand(run: CommandRun): Promise<CommandOutput> {
  const child = start(run);
  const texts = { stdout: "", stderr: "", both: "" };
  function add(name: "stdout" | "stderr", text: string): void {
    texts[name] += text;
    texts.both += text;
  }
  gather(child.stdout as Readable, (text) => add("stdout", text), run.log.stdout ? run.log.line : undefined);
  gather(child.stderr as Readable, (text) => add("stderr", text), run.log.stderr ? run.log.line : undefined);
  child.stdin?.on("error", () => {}); // it may end without reading: its exit code tells why
  child.stdin?.end(run.stdin);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      running.delete(child);
      reject(new Error(`${error.message}: running ${JSON.stringify(run.command)}:\n`));
    });
    child.once("close", (code, signal) => {
      running.delete(child);
      const end = endOf(code, signal);
      if (end !== undefined) reject(new Error(`${end}: running ${JSON.stringify(run.command)}:\n${texts.both}`));
      else resolve({ stdout: trimmed(texts.stdout), stderr: trimmed(texts.stderr) });
    });
  });
}
