import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { makeFolder, onDisk } from "../../process/on-disk";
import { runningSince } from "../../process/process-start";

const SAFE = "what was sent stays: it goes on from there";

interface Holder {
  /** The lease's id, or those that it may have: an answer may have been lost with its asker. */
  readonly leases: readonly string[];
  readonly host: string;
  readonly process: number;
  readonly since: string;
}

/** What this machine remembers of its lease on one blob, for the next run if this one is killed. */
export interface LeaseMemory {
  write(lease: string): void;
  /** Writes what is about to be asked for, unless another upload on this machine has written its own. */
  claim(leases: readonly string[]): boolean;
  /** The leases of an upload that ran on this machine and is surely gone. Only one of several that ask gets them. */
  takeDead(): readonly string[];
  forget(): void;
}

/**
 * @param key names the blob
 * @param folder where it is remembered, @default `.cache/uploads`
 */
export function openLeaseMemory(key: string, folder = path.join(".cache", "uploads")): LeaseMemory {
  const file = path.join(folder, `${encodeURIComponent(key).slice(-200)}.json`);
  const save = (leases: readonly string[], flag: "w" | "wx"): void => {
    const since = runningSince(process.pid) ?? "";
    const holder: Holder = { leases, host: os.hostname(), process: process.pid, since };
    makeFolder(folder, SAFE);
    onDisk(file, () => fs.writeFileSync(file, JSON.stringify(holder), { flag }), SAFE);
  };
  return {
    write: (lease) => save([lease], "w"),
    claim(leases) {
      try {
        save(leases, "wx");
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      }
    },
    takeDead() {
      const own = `${file}.${process.pid}`;
      try {
        const holder = JSON.parse(fs.readFileSync(file, "utf8")) as Holder;
        if (holder.host !== os.hostname() || runningSince(holder.process) === holder.since) return [];
        fs.renameSync(file, own);
        fs.rmSync(own);
        return holder.leases;
      } catch {
        return []; // none, or cut by the kill: its lease ends by itself
      }
    },
    forget: () => fs.rmSync(file, { force: true }),
  };
}
