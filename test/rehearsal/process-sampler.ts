import * as fs from "node:fs";

/**
 * Keeps what every process of this machine showed of itself while a rehearsal ran: its arguments, and, where the
 * kernel lets us read it, its environment. Linux only (procfs); elsewhere `available` is false and says so.
 *
 * Source: proc(5), `/proc/PID/cmdline` and `/proc/PID/environ`.
 */
export class ProcessSampler {
  readonly available = fs.existsSync("/proc/self/cmdline");
  private readonly seen = new Set<string>();
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(everyMilliseconds = 20) {
    if (this.available) this.timer = setInterval(() => this.sample(), everyMilliseconds).unref();
  }

  /** All that was seen, one record a line. */
  text(): Buffer {
    return Buffer.from([...this.seen].join("\n"), "latin1");
  }

  /** How many different command lines and environments were seen. */
  get count(): number {
    return this.seen.size;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    for (const pid of fs.readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      for (const file of ["cmdline", "environ"]) {
        const content = readOrNothing(`/proc/${pid}/${file}`);
        if (content) this.seen.add(content);
      }
    }
  }
}

/** A process that ended between two reads, or one of another user, shows nothing: that is not an error here. */
function readOrNothing(file: string): string {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
