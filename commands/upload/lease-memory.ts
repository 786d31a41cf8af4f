import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { runningSince } from "./process-start";

interface Holder {
  readonly lease: string;
  readonly host: string;
  readonly process: number;
  readonly since: string;
}

/** What this machine remembers of its lease on one blob, for the next run if this one is killed. */
export interface LeaseMemory {
  write(lease: string): void;
  /** The lease of an upload that ran on this machine and is surely gone. Only one of several that ask at once gets it. */
  takeDead(): string | undefined;
  forget(): void;
}

/**
 * @param key names the blob
 * @param folder where it is remembered, @default `.cache/uploads`
 */
export function openLeaseMemory(key: string, folder = path.join(".cache", "uploads")): LeaseMemory {
  const file = path.join(folder, `${encodeURIComponent(key).slice(-200)}.json`);
  return {
    write(lease) {
      const since = runningSince(process.pid) ?? "";
      const holder: Holder = { lease, host: os.hostname(), process: process.pid, since };
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(file, JSON.stringify(holder));
    },
    takeDead() {
      const own = `${file}.${process.pid}`;
      try {
        const holder = JSON.parse(fs.readFileSync(file, "utf8")) as Holder;
        if (holder.host !== os.hostname() || runningSince(holder.process) === holder.since) return undefined;
        fs.renameSync(file, own);
        fs.rmSync(own);
        return holder.lease;
      } catch {
        return undefined; // none, or cut by the kill: its lease ends by itself
      }
    },
    forget: () => fs.rmSync(file, { force: true }),
  };
}
