import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { connectToControl, type TorControl } from "./control";

/** A running tor. It ends with this process, however that ends. */
export interface TorProcess {
  control: TorControl;
  /** Rejects if tor exits before `close`, with the last lines of its log; otherwise never settles. */
  exited: Promise<never>;
  pid: number;
  /** Ends tor and waits until it is gone. May be called more than once. */
  close(): Promise<void>;
}

/** The longest path of a unix socket on Linux and macOS together, in bytes. */
const LONGEST_SOCKET_PATH = 103;
const LOG_LINES = 30;
/** tor takes a second to start; a machine that is busy with other things, many times that. */
const START_MS = 60_000;

/**
 * Starts tor in a folder of its own and waits until its control socket answers.
 * @param directory made here with mode 0700; it holds the torrc, tor's data and the control socket
 * @param lines the torrc besides what every tor here has (data folder, control socket, log, owner)
 * @throws with the last lines of tor's log if tor does not start
 */
export async function startTor(tor: string, directory: string, lines: readonly string[]): Promise<TorProcess> {
  const controlSocket = path.join(directory, "control");
  if (Buffer.byteLength(controlSocket) > LONGEST_SOCKET_PATH) {
    throw new Error(
      `the path of tor's control socket has ${Buffer.byteLength(controlSocket)} bytes, at most ${LONGEST_SOCKET_PATH} ` +
        `are allowed: ${controlSocket}: use a folder with a shorter path`,
    );
  }
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const torrc = path.join(directory, "torrc");
  fs.writeFileSync(torrc, `${[...ownLines(directory, controlSocket), ...lines].join("\n")}\n`, { mode: 0o600 });
  const child = spawn(tor, ["--defaults-torrc", "/dev/null", "-f", torrc], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = failureOf(child, path.basename(directory));
  try {
    const control = await Promise.race([connectToControl(controlSocket, Date.now() + START_MS), exited]);
    // Closing this connection ends tor at once, also when this process is killed; the owner's process id, which tor
    // looks at every few seconds, covers the time before.
    await control.ask("TAKEOWNERSHIP");
    return { control, exited, pid: child.pid ?? 0, close: () => end(child, control) };
  } catch (error) {
    await end(child);
    throw error;
  }
}

function ownLines(directory: string, controlSocket: string): string[] {
  return [
    `DataDirectory ${directory}`,
    `ControlSocket ${controlSocket}`,
    `__OwningControllerProcess ${process.pid}`,
    "RunAsDaemon 0",
    "ShutdownWaitLength 0",
    "Log notice stdout",
    "GeoIPFile /dev/null",
    "GeoIPv6File /dev/null",
  ];
}

function failureOf(child: ChildProcess, name: string): Promise<never> {
  const log: string[] = [];
  const keep = (chunk: Buffer) => {
    log.push(...chunk.toString().split("\n").filter(Boolean));
    log.splice(0, log.length - LOG_LINES);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const exited = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(new Error(`tor (${name}) does not start: ${error.message}`)));
    child.once("close", (code, signal) => {
      reject(new Error(`tor (${name}) ended with ${signal ?? `exit code ${code}`}:\n${log.join("\n")}`));
    });
  });
  exited.catch(() => {}); // raced by what waits for tor; the end that `close` asks for is no failure
  return exited;
}

async function end(child: ChildProcess, control?: TorControl): Promise<void> {
  control?.close();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(kill);
}
