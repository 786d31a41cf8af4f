import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { whenAskedToEnd } from "./asked-to-end";
import { collectOutput, type OutputOptions } from "./child-output";
import { requireOnPath } from "./find-program";

export interface ChildOptions extends OutputOptions {
  /** What the child reads on standard input, by a pipe, never by a file. Absent: standard input is empty. */
  input?: Uint8Array | undefined;
  /** The child's whole environment. @default this process's own */
  environment?: NodeJS.ProcessEnv | undefined;
  /** "inherit": the child prints where this process does, as an editor needs. @default "collect" */
  stdout?: "collect" | "inherit" | undefined;
  /** "inherit": the user sees it as it comes; "collect": it is in the result, cut to its last 64 KiB. @default "collect" */
  stderr?: "collect" | "inherit" | undefined;
  /** After this time the child is killed and the result says `timedOut`. Milliseconds. @default no limit */
  deadlineMs?: number | undefined;
  /** The child gets this process's standard input and terminal, as an editor or a prompt needs. @default false */
  terminal?: boolean | undefined;
}

export interface ChildResult {
  /** Exit code; null if a signal ended the child. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Empty with `stdout: "inherit"`. */
  stdout: Buffer;
  /** Empty with `stderr: "inherit"`. */
  stderr: string;
  timedOut: boolean;
}

/**
 * The children that run now. Each is the leader of a process group (except in terminal mode), so that what it
 * started itself ends with it.
 */
const running = new Map<ChildProcess, { terminal: boolean }>();

/**
 * A shell starts the program and keeps a watch beside it: the watch reads descriptor 3, whose other end only this
 * process holds. If this process ends in any way, kill -9 included, the watch sees the end of the pipe and kills the
 * group. After a normal end it does the same, for what the program may have left behind.
 */
const WATCHED_GROUP = '(read -r _ <&3; kill -9 0) >/dev/null 2>&1 & exec "$@" 3<&-';
/** Node gives a child a socket, which cannot be opened as `/dev/stdin`: `cat` makes a pipe of it. */
const WATCHED_GROUP_WITH_INPUT = '(read -r _ <&3; kill -9 0) >/dev/null 2>&1 & cat 3<&- | "$@" 3<&-';
/** On a terminal the group is the user's whole job, npm included: only the program itself is killed. */
const WATCHED_PROGRAM = '(read -r _ <&3 || kill -9 $$) >/dev/null 2>&1 & exec "$@" 3<&-';

/**
 * Runs a program to its end. It does not outlive this process, however this process ends.
 * @param program a name, looked up on PATH, or a path
 * @throws ProgramMissing before anything is started; a program that fails is a result, not an error
 */
export function runChild(
  program: string,
  programArguments: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  const file = requireOnPath(program, options.environment);
  const child = startWatched(file, programArguments, options);
  running.set(child, { terminal: options.terminal === true });
  return new Promise((resolve, reject) => {
    const output = collectOutput(child, options, () => killChild(child));
    let timedOut = false;
    const deadline = options.deadlineMs === undefined ? undefined : setTimeout(expire, options.deadlineMs);
    function expire() {
      timedOut = true;
      killChild(child);
    }
    function release(normally: boolean) {
      clearTimeout(deadline);
      endWatch(child, normally && options.terminal === true);
      running.delete(child);
    }
    child.once("error", (error) => {
      release(false);
      reject(error);
    });
    child.once("exit", () => {
      release(true);
      if (!options.consume) closeSoon(child);
    });
    child.once("close", (code, signal) => resolve({ code, signal, timedOut, ...output() }));
    feed(child.stdin, options.input);
  });
}

/**
 * For a program's main file: when it is asked to end, and when the process that started this one is gone (see
 * `whenAskedToEnd`), kills every child and exits. Folders are removed by `exit` listeners.
 * @param waiting see `whenAskedToEnd`
 */
export function endWithParent(waiting?: number): void {
  whenAskedToEnd((exitCode, signal) => {
    // An editor on the same terminal got this Ctrl-C as well, and decides about it.
    if (signal === "SIGINT" && [...running.values()].some(({ terminal }) => terminal)) return;
    process.exit(exitCode);
  }, waiting);
  process.once("exit", () => {
    for (const child of running.keys()) killChild(child);
  });
}

function startWatched(file: string, programArguments: readonly string[], options: ChildOptions): ChildProcess {
  const terminal = options.terminal === true;
  const input = options.input === undefined ? "ignore" : "pipe";
  const group = options.input === undefined ? WATCHED_GROUP : WATCHED_GROUP_WITH_INPUT;
  return spawn("/bin/sh", ["-c", terminal ? WATCHED_PROGRAM : group, "sh", file, ...programArguments], {
    detached: !terminal,
    env: options.environment ?? process.env,
    stdio: [
      terminal && options.input === undefined ? "inherit" : input,
      options.stdout === "inherit" ? "inherit" : "pipe",
      options.stderr === "inherit" ? "inherit" : "pipe",
      "pipe",
    ],
  });
}

function killChild(child: ChildProcess): void {
  const terminal = running.get(child)?.terminal === true;
  try {
    if (child.pid !== undefined) process.kill(terminal ? child.pid : -child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended by itself
  }
}

/** Lets the watch go: it reads a line (the program has ended, kill nothing) or only the end of its pipe. */
function endWatch(child: ChildProcess, withLine: boolean): void {
  const watch = child.stdio[3] as Writable | null | undefined;
  watch?.on("error", () => {}); // the watch may have been killed with its group
  if (withLine) watch?.end("\n");
  else watch?.destroy();
}

/**
 * What a child leaves behind may have its output open (a daemon that left the group): what it said is then whole, and is not
 * waited for any longer. What is in the pipe is read meanwhile.
 */
function closeSoon(child: ChildProcess): void {
  const timer = setTimeout(() => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  }, LEFT_OPEN_MS);
  child.once("close", () => clearTimeout(timer));
}

const LEFT_OPEN_MS = 1_000;

function feed(stream: Writable | null, content: Uint8Array | undefined): void {
  if (stream === null || content === undefined) return;
  stream.on("error", () => {}); // the child ended without reading: its exit code tells why
  stream.end(content);
}
