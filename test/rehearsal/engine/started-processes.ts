import * as fs from "node:fs";
import type { PulumiEngine } from "./pulumi";
import type { Stage } from "./stage";

/** A process that an update has started. */
export interface Started {
  pid: number;
  /** Its arguments, with spaces between them. */
  command: string;
}

/** Only where there is /proc: elsewhere nobody tells a process's folder and environment without a tool of its own. */
export const canSeeProcesses = fs.existsSync("/proc/self/environ");

function read(pid: string, name: string): string {
  return fs.readFileSync(`/proc/${pid}/${name}`, "utf8").replaceAll("\0", "\n");
}

/** Pulumi's plugins. After a kill -9 they look whether their engine is there every five minutes only, and do nothing. */
export function isPlugin({ command }: Started): boolean {
  return /^(\S*\/)?pulumi-(language|resource)-/.test(command);
}

/**
 * What runs of a stack's updates, however deep below: everything that works in the program's folder, and everything that
 * has inherited the environment of this engine.
 */
export function startedFor({ folder, engine }: Pick<Stage<PulumiEngine>, "folder" | "engine">): Started[] {
  const real = fs.realpathSync(folder);
  const mark = `PULUMI_HOME=${engine.environment.PULUMI_HOME}`;
  return fs.readdirSync("/proc").flatMap((pid): Started[] => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const works = fs.readlinkSync(`/proc/${pid}/cwd`) === real;
      if (!works && !read(pid, "environ").split("\n").includes(mark)) return [];
      return [{ pid: Number(pid), command: read(pid, "cmdline").replaceAll("\n", " ") }];
    } catch {
      return []; // it has ended, or is not ours to look at
    }
  });
}
