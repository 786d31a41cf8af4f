/** One finished step of a rehearsal. `seconds` is wall time. */
export interface StepTime {
  name: string;
  seconds: number;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * Shows the steps of a run as they happen: a spinner on a terminal, one plain line a finished step elsewhere.
 * All of it goes to standard error, so that standard output holds results alone.
 */
export class Steps {
  readonly times: StepTime[] = [];
  private readonly terminal = process.stderr.isTTY === true;

  /** Runs one step and shows `✓ name  1.2 s  note`; the note is made of what the step returns. */
  async run<T>(name: string, action: () => Promise<T>, note?: (result: T) => string): Promise<T> {
    const started = performance.now();
    const stopSpinner = this.spin(name, started);
    try {
      const result = await action();
      this.finish("✓", name, started, stopSpinner, note?.(result));
      return result;
    } catch (error) {
      this.finish("✗", name, started, stopSpinner);
      throw error;
    }
  }

  /** A step that somebody else has run. */
  done(name: string, seconds: number, note?: string): void {
    this.show("✓", name, seconds, note);
  }

  /** One that somebody else has run, and that failed. */
  failed(name: string, seconds: number, reason: string): void {
    this.show("✗", name, seconds);
    this.say(reason);
  }

  /** A line between the steps. */
  say(line: string): void {
    process.stderr.write(`${this.terminal ? "\r\x1b[K" : ""}  ${line}\n`);
  }

  private finish(mark: string, name: string, started: number, stopSpinner: () => void, note?: string): void {
    stopSpinner();
    this.show(mark, name, secondsSince(started), note);
  }

  private show(mark: string, name: string, seconds: number, note?: string): void {
    this.times.push({ name, seconds });
    process.stderr.write(`${mark} ${name.padEnd(58)} ${seconds.toFixed(1).padStart(5)} s${note ? `  ${note}` : ""}\n`);
  }

  private spin(name: string, started: number): () => void {
    if (!this.terminal) return () => {};
    const draw = () => {
      const elapsed = secondsSince(started);
      const frame = frames[Math.floor(elapsed * 10) % frames.length];
      process.stderr.write(`\r\x1b[K${frame} ${name}  ${elapsed.toFixed(0)} s`);
    };
    draw();
    const timer = setInterval(draw, 100);
    return () => {
      clearInterval(timer);
      process.stderr.write("\r\x1b[K");
    };
  }
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 10) / 100;
}
