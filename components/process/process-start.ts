import * as fs from "node:fs";

/**
 * What tells a process from a later one with the same number: its start in clock ticks since boot (Linux), else only
 * that it is alive. Undefined where there is none.
 */
export function runningSince(process_: number): string | undefined {
  try {
    process.kill(process_, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  try {
    const afterName = fs.readFileSync(`/proc/${process_}/stat`, "latin1").replace(/^.*\) /s, "");
    return afterName.split(" ")[19] ?? "alive"; // field 22 of proc(5), the 20th after the name
  } catch {
    return "alive";
  }
}
