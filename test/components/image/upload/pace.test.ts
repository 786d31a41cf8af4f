import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPace } from "../../../../components/image/upload/pace";
import { describe as describeTransfer } from "../../../../components/process/progress";

const MIB = 1024 * 1024;

interface Moment {
  readonly seconds: number;
  readonly sent: number;
  /** Seconds since the last answer. */
  readonly quiet: number;
}

/** Uploads so many bytes over a line that all requests share; what a bar would see, ten times a second. */
function upload(total: number, bytesPerSecond: number, roundTrip = 0.02): { moments: Moment[]; seconds: number } {
  const pace = createPace();
  const running: { bytes: number; left: number; since: number }[] = [];
  const moments: Moment[] = [];
  let [queued, sent, now, answered] = [0, 0, 0, 0];
  const step = Math.min(0.01, 65_536 / bytesPerSecond);
  while (sent < total) {
    while (queued < total && (running.length === 0 || pace.hasRoom(running.length))) {
      const bytes = Math.min(pace.size(), total - queued);
      running.push({ bytes, left: bytes + roundTrip * (bytesPerSecond / 8), since: now });
      queued += bytes;
    }
    const share = (step * bytesPerSecond) / running.length;
    now += step;
    for (const request of [...running]) {
      request.left -= share;
      if (request.left > 0) continue;
      running.splice(running.indexOf(request), 1);
      sent += request.bytes;
      answered = now;
      pace.done(request.bytes, (now - request.since) * 1000, now * 1000);
    }
    moments.push({ seconds: now, sent, quiet: now - answered });
  }
  return { moments, seconds: now };
}

describe("the pace of an upload", () => {
  it("is small steps on a slow line: the time left is right within 20% from 5% on", () => {
    const line = fc.record({
      megabits: fc.constantFrom(0.5, 1, 2, 10),
      mebibytes: fc.integer({ min: 8, max: 40 }),
    });
    fc.assert(
      fc.property(line, ({ mebibytes, megabits }) => {
        const total = mebibytes * MIB;
        const { moments, seconds: end } = upload(total, (megabits * 1e6) / 8);
        for (const { quiet, seconds, sent } of moments) {
          if (sent < total * 0.05 || end - seconds < 5) continue;
          const text = describeTransfer({ data: total, left: total - sent, sent }, seconds, quiet);
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
      expect(pace.hasRoom(7)).toBe(true);
      expect(pace.hasRoom(8)).toBe(false);
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

  it("lets twice as many small pieces be on their way", () => {
    const pace = createPace();
    for (let count = 0; count < 20; count++) pace.done(3_000, 10, count);
    expect(pace.hasRoom(15)).toBe(true);
    expect(pace.hasRoom(16)).toBe(false);
  });
});
