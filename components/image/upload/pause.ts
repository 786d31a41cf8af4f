import { setTimeout as delay } from "node:timers/promises";

/** Waits, in milliseconds. @throws the signal's own reason once it is aborted: `delay` would tell of an abort only. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
