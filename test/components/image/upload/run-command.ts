import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";

/** How a program of this project ended. */
export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandResult>;
}

const root = path.resolve(__dirname, "../../../..");

/** Starts `commands/NAME.ts` in a folder, as Pulumi does: a process of its own. */
export function startCommand(
  name: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): RunningCommand {
  const child = spawn(process.execPath, [path.join(root, "components/start/run.mjs"), name, ...args], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, ended };
}

export function runCommand(
  name: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<CommandResult> {
  return startCommand(name, folder, environment, args).ended;
}

/** Looks again and again until something is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${deadlineMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
