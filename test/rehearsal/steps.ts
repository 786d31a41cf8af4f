import { wrap } from "../../components/command-line/wrap";

/** One finished step of a rehearsal. `seconds` is wall time. */
export interface StepTime {
  name: string;
  seconds: number;
  /** Why it did not happen. */
  skipped?: string;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

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

  /** One that this machine cannot do. */
  skip(name: string, reason: string): void {
    this.times.push({ name, seconds: 0, skipped: reason });
    process.stderr.write(stepLine("–", name, "skipped", reason));
  }

  /** What did not happen, for a report. */
  skipped(): string[] {
    return this.times.flatMap(({ name, skipped }) => (skipped === undefined ? [] : `skipped: ${name}: ${skipped}`));
  }

  /** A line between the steps. */
  say(line: string): void {
    process.stderr.write(`${this.terminal ? "\r\x1b[K" : ""}${wrapped(line, "  ")}`);
  }

  private finish(mark: string, name: string, started: number, stopSpinner: () => void, note?: string): void {
    stopSpinner();
    this.show(mark, name, secondsSince(started), note);
  }

  private show(mark: string, name: string, seconds: number, note?: string): void {
    this.times.push({ name, seconds });
    process.stderr.write(stepLine(mark, name, `${seconds.toFixed(1).padStart(5)} s`, note));
  }

  private spin(name: string, started: number): () => void {
    if (!this.terminal) return () => {};
    const draw = () => {
      const elapsed = secondsSince(started);
      const frame = FRAMES[Math.floor(elapsed * 10) % FRAMES.length];
      process.stderr.write(`\r\x1b[K${`${frame} ${name}  ${elapsed.toFixed(0)} s`.slice(0, columns() - 1)}`);
    };
    draw();
    const timer = setInterval(draw, 100);
    return () => {
      clearInterval(timer);
      process.stderr.write("\r\x1b[K");
    };
  }
}

/** The width that is written for. */
function columns(): number {
  return process.stderr.columns || 80;
}

/** `✓ name   1.2 s  note`; a note that does not fit beside it goes below it. */
function stepLine(mark: string, name: string, time: string, note = ""): string {
  const line = `${mark} ${name.padEnd(50)} ${time.padStart(7)}`;
  if (note === "") return `${line}\n`;
  return `${line}  ${note}`.length <= columns() ? `${line}  ${note}\n` : `${line}\n${wrapped(note, "    ")}`;
}

/** A text in lines that fit. */
function wrapped(text: string, margin: string): string {
  return wrap(text, margin, columns())
    .map((line) => `${line}\n`)
    .join("");
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 10) / 100;
}
