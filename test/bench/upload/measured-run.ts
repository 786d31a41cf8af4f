import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";

export interface MeasuredRun {
  readonly seconds: number;
  /** The highest resident memory of the process, in MiB (Linux; 0 elsewhere). */
  readonly peakRssMiB: number;
  readonly code: number | null;
  readonly output: string;
}

const SAMPLE_MS = 20;

/** Runs a program to its end and measures it. */
export function measuredRun(
  command: readonly [string, ...string[]],
  environment: NodeJS.ProcessEnv,
  onStart: (child: ChildProcess) => void = () => {},
): Promise<MeasuredRun> {
  const [program, ...programArguments] = command;
  const start = performance.now();
  const child = spawn(program, programArguments, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const collect = (text: string): void => {
    output = (output + text).slice(-4000);
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  let peakRssMiB = 0;
  const sampling = setInterval(() => {
    peakRssMiB = Math.max(peakRssMiB, highWaterMark(child.pid ?? 0));
  }, SAMPLE_MS);
  onStart(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(sampling);
      resolve({ seconds: (performance.now() - start) / 1000, peakRssMiB, code, output });
    });
  });
}

/** VmHWM of proc(5): the kernel keeps the maximum itself, so that a sample misses none. */
function highWaterMark(process_: number): number {
  try {
    const kibibytes = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${process_}/status`, "utf8"))?.[1];
    return Number(kibibytes ?? 0) / 1024;
  } catch {
    return 0; // it has ended, or this is no Linux
  }
}
