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
  /** What each process was started with, as far as it was seen. */
  private commands = new Map<string, string>();
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
    const running = new Map<string, string>();
    for (const pid of fs.readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const command = readOrNothing(`/proc/${pid}/cmdline`);
      running.set(pid, command);
      // A program that is started in the place of another has arguments of its own, and then an environment of its own.
      if (this.commands.get(pid) === command) continue;
      for (const content of [command, readOrNothing(`/proc/${pid}/environ`)]) if (content) this.seen.add(content);
    }
    this.commands = running;
  }
}

/** One for all reads: `readFileSync` takes new memory for each, 64 KiB, and all this process does would wait for its collection. */
const piece = Buffer.allocUnsafeSlow(64 << 10);

/** A process that ended between two reads, or one of another user, shows nothing: that is not an error here. */
function readOrNothing(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(file, "r");
    let text = "";
    for (;;) {
      const bytes = fs.readSync(descriptor, piece, 0, piece.length, null);
      if (bytes === 0) return text;
      text += piece.toString("latin1", 0, bytes);
    }
  } catch {
    return "";
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}
