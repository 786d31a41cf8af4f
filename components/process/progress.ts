/** What a transfer tells about itself as it goes. All numbers are bytes. */
export interface Transfer {
  /** What there is to do: all that is not known to be holes from the start. */
  readonly data: number;
  /** What of `data` is not done yet. What is on its way is not done. */
  readonly left: number;
  /** Undefined where nothing is sent at all, as in a comparison. */
  readonly sent?: number;
  /** When that became so much: `Date.now()` of the last answer. On a slow line answers are seconds apart. */
  readonly sentAt?: number;
  /** What is expected to be sent yet, on its way or not: of a disk, zeros are quick. @default `left` */
  readonly toSend?: number;
  /** Of what is on its way, what the line has taken, and how many bytes a second it takes, where that is known. */
  readonly line?: { readonly through: number; readonly rate: number } | undefined;
  /** What was there already. */
  readonly kept?: number;
  /** Zeros that needed no sending, holes among them. */
  readonly skipped?: number;
}

export interface Progress {
  /**
   * Shows now and then what `look` tells, also while nothing moves. The time runs from here on.
   * @param what what is done, @default the progress's own title
   * @returns ends it
   */
  follow(look: () => Transfer, what?: string): () => void;
  /** Shows a line beside the bar. */
  log(line: string): void;
  /** Takes the bar away. */
  end(): void;
}

const BAR_WIDTH = 24;
const BAR_INTERVAL_MS = 200;
const LINE_INTERVAL_MS = 5_000;

/** A bar on a terminal; elsewhere, as inside `pulumi up`, a line every few seconds. */
export function createProgress(title: string, output: NodeJS.WriteStream = process.stderr): Progress {
  const clear = (): void => void (output.isTTY && output.write("\r\u001b[K"));
  return {
    follow(look, what = title) {
      const start = Date.now();
      const show = (): void => {
        const transfer = look();
        const now = Date.now();
        const text = describe(transfer, (now - start) / 1000, (now - (transfer.sentAt ?? now)) / 1000);
        if (output.isTTY) output.write(`\r\u001b[K${fitting(what, bar(transfer), text, (output.columns || 80) - 1)}`);
        else output.write(`${what} ${text}\n`);
      };
      const timer = setInterval(show, output.isTTY ? BAR_INTERVAL_MS : LINE_INTERVAL_MS).unref();
      return () => clearInterval(timer);
    },
    log(line) {
      clear();
      output.write(`${line}\n`);
    },
    end: clear,
  };
}

/** What fits into a line: share, rate and time left stay longest, with the bar and the title as long as these fit. */
function fitting(what: string, drawn: string, text: string, columns: number): string {
  const [share = "", ...others] = text.split(", ");
  const short = [share, ...others.filter((part) => part.endsWith("/s") || part.endsWith(" left"))].join(", ");
  const ways = [`${what} ${drawn} ${text}`, `${what} ${drawn} ${short}`, `${what} ${short}`, short, share];
  return ways.find((way) => way.length <= columns) ?? "";
}

/** Of what takes time: sending, where something is sent. */
function shareOf({ data, kept = 0, left, sent, toSend }: Transfer): number {
  const done = toSend === undefined || sent === undefined ? data - left : sent + kept;
  const all = done + (toSend ?? left);
  return all > 0 ? done / all : 0;
}

function bar(transfer: Transfer): string {
  const filled = Math.round(BAR_WIDTH * shareOf(transfer));
  return `[${"=".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}]`;
}

/**
 * `43%, 12.0 MiB sent, 8.0 MiB were there, 1.2 GiB skipped, 8.1 MiB/s, 20 s left`. The rate is that of what is sent.
 * @param quiet seconds since the last answer: what is on its way since then is not known to be sent
 */
export function describe(transfer: Transfer, seconds: number, quiet = 0): string {
  const { data, kept = 0, left, line, sent, skipped = 0, toSend } = transfer;
  const done = toSend === undefined || sent === undefined ? data - left : sent;
  const busy = seconds - quiet;
  const rate = seconds > 0 ? (sent ?? done) / seconds : 0;
  const parts = [`${Math.floor(shareOf(transfer) * 100)}%`];
  if (sent !== undefined) parts.push(`${size(sent)} sent`);
  if (kept > 0) parts.push(`${size(kept)} were there`);
  if (sent !== undefined) parts.push(`${size(skipped)} skipped`);
  parts.push(`${size(rate)}/s`);
  const due = line ? ((toSend ?? left) - line.through) / line.rate : ((toSend ?? left) * busy) / done - quiet;
  if (done > 0 && left > 0) parts.push(`${time(Math.max(1, due))} left`);
  return parts.join(", ");
}

/** A number of bytes for people: `512 B`, `1.5 KiB`, `2.0 GiB`. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A number of seconds for people: `8 s`, `3 min`, `2 h 5 min`. */
export function time(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
