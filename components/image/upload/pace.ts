/**
 * How much is on its way at once: what the line takes in two seconds. A slow line so gets few small requests, and
 * progress is seen; a quick one many large ones, and so does one that is only far away.
 */
export interface Pace {
  /** Bytes of one request, at most. */
  size(): number;
  /** Whether another request may start beside so many, with so many bytes on their way. @param flying @default none */
  hasRoom(running: number, flying?: number): boolean;
  /** A request of so many bytes has succeeded. `now`: milliseconds of any clock. */
  done(bytes: number, milliseconds: number, now: number): void;
}

const KIB = 1024;
const SMALLEST = 64 * KIB;
/** What one Put Page takes. */
const LARGEST = 4096 * KIB;
/** Two of these go first, one after the other: the larger one takes longer where the line is slow. */
const PROBES = [16 * KIB, 128 * KIB] as const;
/** What the line takes in this time may be on its way. */
const AHEAD_MS = 2_000;
/** The rate is that of so long a time, and of so many answers at least: they come in bursts. */
const WINDOW_MS = 10_000;
const WINDOW_ANSWERS = 4;
/** Requests at once. */
export const REQUESTS = 8;
/** Of the largest ones: their bytes are in memory, and 24 MiB on their way fill 1 Gbit/s as far as 200 ms away. */
export const LARGE_REQUESTS = 6;
/** Small requests at once: Azure takes about 500 a second for one blob. */
const SMALL_REQUESTS = 16;

export function createPace(): Pace {
  const probes: { bytes: number; ms: number }[] = [];
  let latency = Number.POSITIVE_INFINITY;
  let ahead = REQUESTS * SMALLEST;
  let last = LARGEST;
  let start = 0;
  const answers: { at: number; bytes: number }[] = [];
  let answered = 0;
  const size = (): number => {
    const probe = PROBES[probes.length];
    return probe ?? Math.min(LARGEST, Math.max(SMALLEST, floorTo(SMALLEST, ahead / REQUESTS)));
  };
  const most = (): number => {
    if (probes.length < PROBES.length) return 1;
    if (last < SMALLEST) return SMALL_REQUESTS;
    const atOnce = size() === LARGEST ? LARGE_REQUESTS : REQUESTS;
    return Math.min(atOnce, Math.max(1, Math.floor(ahead / size())));
  };
  return {
    size,
    // After a small piece a large one may come: small ones may be many, and still no more than the line takes.
    hasRoom: (running, flying = 0) => running < most() && (running < 1 || last >= SMALLEST || flying < ahead),
    done(bytes, ms, now) {
      last = bytes;
      latency = Math.min(latency, ms);
      if (probes.length < PROBES.length) {
        probes.push({ bytes, ms });
        if (probes.length === PROBES.length) ahead = probed(probes) ?? ahead;
        start = now;
        return;
      }
      answers.push({ at: now, bytes });
      answered += bytes;
      while ((answers[0]?.at ?? now) < now - WINDOW_MS) answered -= answers.shift()?.bytes ?? 0;
      const span = now - Math.max(start, now - WINDOW_MS);
      if (answers.length < WINDOW_ANSWERS || span === 0) return;
      // Where the line is far away, not slow, more on its way means more a second: this grows until it does not.
      ahead = (answered / span) * (AHEAD_MS + latency);
    },
  };
}

/** What the line takes in two seconds by the first two requests; both may be small, and then tell nothing. */
function probed([first, second]: readonly { bytes: number; ms: number }[]): number | undefined {
  if (!first || !second || second.bytes - first.bytes < SMALLEST) return undefined;
  return ((second.bytes - first.bytes) / Math.max(0.001, second.ms - first.ms)) * AHEAD_MS;
}

function floorTo(unit: number, value: number): number {
  return Math.floor(value / unit) * unit;
}
