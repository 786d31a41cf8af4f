import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLine, type Passage } from "../../../../components/image/upload/line";
import { createPace } from "../../../../components/image/upload/pace";
import { describe as describeTransfer } from "../../../../components/process/progress";

const MIB = 1024 * 1024;

interface Moment {
  readonly seconds: number;
  readonly sent: number;
  /** Seconds since the last answer. */
  readonly quiet: number;
  readonly line: Passage | undefined;
}

interface Way {
  readonly bytesPerSecond: number;
  /** Bytes of one piece after the other. @default as large as the pace says */
  readonly pieces?: readonly number[];
  /** How much more than its share one of the requests gets that run. @default no more */
  readonly favour?: number;
}

/** Uploads so many bytes over a line that all requests share; what a bar would see, at each step. */
function upload(
  total: number,
  { bytesPerSecond, favour = 1, pieces = [] }: Way,
): { moments: Moment[]; seconds: number } {
  const pace = createPace();
  const line = createLine();
  const running: { bytes: number; left: number; since: number; weight: number; answered: (now: number) => void }[] = [];
  const moments: Moment[] = [];
  let [queued, sent, now, answered, count] = [0, 0, 0, 0, 0];
  const step = Math.min(0.01, 65_536 / bytesPerSecond);
  while (sent < total) {
    while (queued < total && (running.length === 0 || pace.hasRoom(running.length, line.flying()))) {
      const piece = pieces[count % pieces.length] ?? Number.POSITIVE_INFINITY;
      const bytes = Math.min(piece, pace.size(), total - queued);
      const weight = count % 3 === 0 ? favour : 1;
      const request = { bytes, left: bytes + 0.02 * (bytesPerSecond / 8), since: now, weight };
      running.push({ ...request, answered: line.send(bytes, now * 1000) });
      queued += bytes;
      count += 1;
    }
    const all = running.reduce((sum, { weight }) => sum + weight, 0);
    now += step;
    for (const request of [...running]) {
      request.left -= (step * bytesPerSecond * request.weight) / all;
      if (request.left > 0) continue;
      running.splice(running.indexOf(request), 1);
      sent += request.bytes;
      answered = now;
      request.answered(now * 1000);
      pace.done(request.bytes, (now - request.since) * 1000, now * 1000);
    }
    moments.push({ seconds: now, sent, quiet: now - answered, line: line.look(now * 1000) });
  }
  return { moments, seconds: now };
}

describe("the pace of an upload", () => {
  it("is small steps on a slow line: the time left is right within 20% from 5% and two seconds on", () => {
    const line = fc.record({
      megabits: fc.constantFrom(0.5, 1, 2, 10),
      mebibytes: fc.constantFrom(8, 20, 40),
      favour: fc.constantFrom(1, 2, 4),
      pieces: fc.constantFrom([], [1_536, 16_384, ...Array(40).fill(4 * MIB)], [8_192, 24_576, 73_728, 262_144]),
    });
    fc.assert(
      fc.property(line, ({ mebibytes, megabits, ...way }) => {
        const total = mebibytes * MIB;
        const { moments, seconds: end } = upload(total, { ...way, bytesPerSecond: (megabits * 1e6) / 8 });
        for (const { line, quiet, seconds, sent } of moments) {
          if (sent < total * 0.05 || seconds < 2 || end - seconds < 5) continue;
          const text = describeTransfer({ data: total, left: total - sent, sent, line }, seconds, quiet);
          const [, count = "", unit] = text.match(/(\d+) (s|min) left/) ?? [];
          const left = Number(count) * (unit === "min" ? 60 : 1);
          const rounded = unit === "min" ? 60 : 1; // it says whole minutes, upwards
          expect(Math.abs(left - (end - seconds))).toBeLessThanOrEqual(0.2 * (end - seconds) + rounded);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is the largest requests on a quick line after two small ones, and on one that is only far away", () => {
    for (const latency of [5, 1_500]) {
      const pace = createPace();
      for (let count = 0; count < 2; count++) pace.done(pace.size(), latency, count);
      expect(pace.size()).toBe(4 * MIB);
      expect(pace.hasRoom(5)).toBe(true);
      expect(pace.hasRoom(6)).toBe(false);
    }
  });

  it("is not guessed from a partition table: two first requests that are small tell nothing of the line", () => {
    const pace = createPace();
    pace.done(1_536, 160, 160); // with the connection's own time
    pace.done(16_384, 150, 310);
    expect(pace.size()).toBe(65_536);
    expect(pace.hasRoom(7)).toBe(true);
  });

  it("is slow for no longer than the line: a far one is filled again after a jam", () => {
    const pace = createPace();
    pace.done(16_384, 300, 0);
    pace.done(131_072, 3_300, 0); // a jam: 38 kB a second
    expect(pace.size()).toBe(65_536);
    let now = 0;
    for (let count = 0; count < 200; count++) {
      const running = [1, 2, 3, 4, 5, 6, 7].filter((more) => pace.hasRoom(more)).length + 1;
      now += 300 / running; // 300 ms away, and quick
      pace.done(pace.size(), 300, now);
    }
    expect(pace.size()).toBe(4 * MIB);
  });

  it("is no more than the line takes where a large piece follows a small one", () => {
    const pace = createPace();
    for (const bytes of [1_536, 16_384]) pace.done(bytes, 160, 160);
    expect(pace.hasRoom(8, 7 * 65_536)).toBe(true);
    expect(pace.hasRoom(8, 8 * 65_536)).toBe(false);
  });

  it("lets twice as many small pieces be on their way", () => {
    const pace = createPace();
    for (let count = 0; count < 20; count++) pace.done(3_000, 10, count);
    expect(pace.hasRoom(15)).toBe(true);
    expect(pace.hasRoom(16)).toBe(false);
  });
});
