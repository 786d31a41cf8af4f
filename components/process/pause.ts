import { setTimeout as delay } from "node:timers/promises";

/** Waits, in milliseconds. @throws the signal's own reason once it is aborted, where `delay` would only say that it was */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await delay(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
}

/**
 * How long to wait after so many failures in a row: doubled each time, with jitter, so that many that failed together do
 * not come back together.
 * @returns milliseconds, between half of the doubled time and the whole
 */
export function backoffMs(failures: number, { firstMs = 500, longestMs = 8_000 } = {}): number {
  const longest = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  return longest * (0.5 + Math.random() / 2);
}
