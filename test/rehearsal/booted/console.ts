import { setTimeout as sleep } from "node:timers/promises";

/** What a machine's console has shown. */
export class Console {
  readonly lines: string[] = [];

  readonly add = (line: string): void => {
    this.lines.push(line);
  };

  /** A place to look from: what was shown before is not found. */
  mark(): number {
    return this.lines.length;
  }

  /** Waits for a line. @throws with what was shown instead */
  async seen(pattern: RegExp, { from, withinMs }: { from: number; withinMs: number }): Promise<string> {
    let found: string | undefined;
    await until(() => {
      found = this.lines.slice(from).find((line) => pattern.test(line));
      return found !== undefined;
    }, withinMs).catch(() => {
      const shown = this.lines.slice(from).slice(-10).join("\n    ") || "nothing";
      throw new Error(`the console does not show ${pattern} within ${withinMs / 1000} s, but:\n    ${shown}`);
    });
    return found ?? "";
  }
}

/** Waits until a condition holds; what it throws counts as "not yet". @throws the last reason after `withinMs` */
export async function until(condition: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    let reason: unknown = new Error(`not so within ${withinMs / 1000} s`);
    try {
      if (await condition()) return;
    } catch (error) {
      reason = error;
    }
    if (Date.now() > deadline) throw reason;
    await sleep(100);
  }
}
