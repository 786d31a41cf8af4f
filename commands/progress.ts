/** What a transfer tells about itself as it goes. All numbers are bytes. */
export interface Transfer {
  /** Looked at so far, of `total`: sent, skipped or found there. */
  readonly done: number;
  readonly total: number;
  readonly sent: number;
  readonly skipped: number;
}

export interface Progress {
  /** Shows the latest numbers, not more often than is readable. */
  show(transfer: Transfer): void;
  /** Shows a line beside the bar. */
  log(line: string): void;
  /** Takes the bar away. */
  end(): void;
}

const BAR_WIDTH = 24;
const BAR_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 5_000;

/** A bar on a terminal; elsewhere, as inside `pulumi up`, a line every few seconds. */
export function createProgress(title: string, output: NodeJS.WriteStream = process.stderr): Progress {
  const start = Date.now();
  const interval = output.isTTY ? BAR_INTERVAL_MS : LINE_INTERVAL_MS;
  let shown = output.isTTY ? 0 : start; // the first line comes when there is something to tell
  const clear = (): void => void (output.isTTY && output.write("\r\u001b[K"));
  return {
    show(transfer) {
      const now = Date.now();
      if (now - shown < interval) return;
      shown = now;
      const text = describe(transfer, (now - start) / 1000);
      if (output.isTTY)
        output.write(`\r\u001b[K${title} ${bar(transfer)} ${text}`.slice(0, (output.columns ?? 80) + 4));
      else output.write(`${title} ${text}\n`);
    },
    log(line) {
      clear();
      output.write(`${line}\n`);
    },
    end: clear,
  };
}

function bar({ done, total }: Transfer): string {
  const filled = Math.round((BAR_WIDTH * done) / Math.max(1, total));
  return `[${"=".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}]`;
}

/** `43%, 12.0 MiB sent, 1.2 GiB skipped, 8.1 MiB/s, 20 s left` */
export function describe({ done, sent, skipped, total }: Transfer, seconds: number): string {
  const share = done / Math.max(1, total);
  const rate = seconds > 0 ? sent / seconds : 0;
  const left = share > 0 && share < 1 ? `, ${time((seconds * (1 - share)) / share)} left` : "";
  return `${Math.floor(share * 100)}%, ${size(sent)} sent, ${size(skipped)} skipped, ${size(rate)}/s${left}`;
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
