import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** systemd-nspawn leaves its machine running where it is killed: it is stopped first, and the machine killed before it. */
export async function killWhole(nspawn: ChildProcess | undefined): Promise<void> {
  const pid = nspawn?.pid;
  if (pid === undefined || nspawn?.exitCode !== null || nspawn.signalCode !== null) return;
  nspawn.kill("SIGSTOP");
  for (let left = runningChildren(pid); left.length > 0; left = runningChildren(pid)) {
    for (const child of left) kill(child);
    await sleep(10);
  }
  nspawn.kill("SIGKILL");
}

/** Those of its children, and theirs, that run: a killed one is there until it is waited for. */
function runningChildren(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => {
    const isRunning = !/^State:\s+Z/m.test(readProcess(child, "status"));
    return isRunning ? [child, ...runningChildren(child)] : [];
  });
}

/** Source: proc_pid_task(5). */
export function childrenOf(pid: number): number[] {
  return readProcess(pid, `task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended
  }
}

/** A file of /proc/PID, empty once the process has ended. */
export function readProcess(pid: number, name: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // it has ended
  }
}
