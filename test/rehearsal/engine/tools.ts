import { execFileSync } from "node:child_process";

function has(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`]);
    return true;
  } catch {
    return false; // not on PATH
  }
}

/** Why a test is skipped, for its title; empty where everything is on PATH. */
export function skippedFor(...programs: string[]): string {
  const missing = programs.filter((program) => !has(program));
  return missing.length === 0 ? "" : ` (skipped: needs ${missing.join(" and ")} on PATH)`;
}
