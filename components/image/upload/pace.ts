/**
 * How much is on its way at once. A slow line gets small requests, so that progress is seen and an interruption loses
 * little; a quick one gets large ones; and many small pieces, as of small files, may be on their way together.
 */
export interface Pace {
  /** Bytes of one request, at most. */
  size(): number;
  /** Whether another request may start. */
  hasRoom(running: number): boolean;
  /** A request of so many bytes has succeeded. */
  done(bytes: number, milliseconds: number): void;
}

const KIB = 1024;
const SMALLEST = 64 * KIB;
/** One of these goes first, alone: it tells how quick the line is. */
const FIRST = 128 * KIB;
/** What one Put Page takes. */
const LARGEST = 4096 * KIB;
/** A request that takes less asks for larger ones, one that takes more for smaller ones. */
const QUICK_MS = 500;
const SLOW_MS = 2_000;
/** Large requests at once. */
export const REQUESTS = 8;
/** Small requests at once: Azure takes about 500 a second for one blob. */
const SMALL_REQUESTS = 16;

export function createPace(): Pace {
  let size = FIRST;
  let requests = 1;
  return {
    size: () => size,
    hasRoom: (running) => running < requests,
    done(bytes, milliseconds) {
      if (milliseconds > SLOW_MS) {
        size = Math.max(SMALLEST, size / 2);
        requests = Math.max(1, Math.min(REQUESTS, requests) - 1);
      } else if (milliseconds < QUICK_MS) {
        if (bytes >= size) size = Math.min(LARGEST, size * 8);
        requests = Math.min(bytes < SMALLEST ? SMALL_REQUESTS : REQUESTS, requests + (requests < 2 ? REQUESTS - 1 : 1));
      }
    },
  };
}
