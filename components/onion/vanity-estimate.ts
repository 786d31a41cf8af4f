import { expectedTries } from "./vanity-prefix";

/** How a search goes. */
export interface VanityProgress {
  prefix: string;
  /** Keys looked at so far by all threads. */
  keys: number;
  keysPerSecond: number;
  elapsedMs: number;
  /**
   * The time that a search takes from here on, on average. It does not shrink: a search has no memory, and having had
   * no luck for an hour brings no luck.
   */
  expectedMs: number;
}

export function vanityProgress(prefix: string, keys: number, keysPerSecond: number, elapsedMs: number): VanityProgress {
  const expectedMs = (expectedTries(prefix) / keysPerSecond) * 1000;
  return { prefix, keys, keysPerSecond, elapsedMs, expectedMs };
}

/** One line for people. */
export function describeProgress({ prefix, keys, keysPerSecond, elapsedMs, expectedMs }: VanityProgress): string {
  const speed = `${count(keys)} keys in ${duration(elapsedMs)}, ${count(keysPerSecond)} a second`;
  return `looking for an onion hostname that starts with ${prefix}: ${speed}, about ${duration(expectedMs)} more expected`;
}

/** @throws if the expected time for the prefix is above the limit at this speed */
export function checkFeasible(prefix: string, keysPerSecond: number, limitMs: number): void {
  const { expectedMs } = vanityProgress(prefix, 0, keysPerSecond, 0);
  if (expectedMs <= limitMs) return;
  const longest = Math.floor(Math.log((keysPerSecond * limitMs) / 1000) / Math.log(32));
  throw new Error(
    `vanity prefix ${JSON.stringify(prefix)} would take about ${duration(expectedMs)} at the ${count(keysPerSecond)} ` +
      `keys a second of this machine, at most ${duration(limitMs)} are allowed: take up to ${longest} characters`,
  );
}

/** For example "850 ms", "12 s", "3 min", "5 h", "40 days". */
export function duration(ms: number): string {
  const units = [
    ["days", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ] as const;
  for (const [unit, length] of units) {
    if (ms >= 2 * length || (unit === "s" && ms >= length)) return `${count(ms / length)} ${unit}`;
  }
  return `${Math.round(ms)} ms`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
