import { type ChildProcess, spawn } from "node:child_process";

/** A server or an agent that runs until it is closed. It ends with this process, however that ends. */
export interface RunningProcess {
  /** The end of what it has said, on standard output and standard error. */
  log(): string;
  hasEnded(): boolean;
  /** Kills it and what it has started, and waits until it is gone. */
  close(): Promise<void>;
}

const LOG_CHARACTERS = 4096;

/** The watch beside the program reads descriptor 3, whose other end only this process holds: its end kills the group. */
const WATCHED = '(read -r _ <&3; kill -9 0) >/dev/null 2>&1 & exec "$@" 3<&-';

/** @param environment the process's whole environment */
export function startProcess(file: string, args: readonly string[], environment: NodeJS.ProcessEnv): RunningProcess {
  const child = spawn("/bin/sh", ["-c", WATCHED, "sh", file, ...args], {
    detached: true,
    env: environment,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-LOG_CHARACTERS);
    });
  }
  return { log: () => log, hasEnded: () => hasEnded(child), close: () => end(child) };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function end(child: ChildProcess): Promise<void> {
  const ended = hasEnded(child)
    ? Promise.resolve()
    : new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.stdio[3]?.destroy();
  return ended;
}
