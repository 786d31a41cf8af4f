import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRangePlanner, dataRuns, type Range } from "../../../../components/image/disk/data-ranges";

const SECTOR = 512;
const CHUNK = 4 * 1024 * 1024;

/** A chunk whose sectors hold data (one byte somewhere in them) or zeros. */
function chunkOf(sectors: readonly boolean[], place = 0): Buffer {
  const chunk = Buffer.alloc(sectors.length * SECTOR);
  for (const [index, hasData] of sectors.entries()) {
    if (hasData) chunk[index * SECTOR + ((place + index * 37) % SECTOR)] = 1;
  }
  return chunk;
}
const bytes = (ranges: readonly Range[]): number => ranges.reduce((sum, { start, end }) => sum + end - start, 0);
/** Runs of sectors as lengths, alternately zeros and data. */
const sectorsOf = (lengths: readonly number[]): boolean[] =>
  lengths.flatMap((length, index) => Array<boolean>(length).fill(index % 2 === 1));

/** Gaps that are shorter than a block of 4 KiB. */
describe("dataRuns", () => {
  it("finds exactly the sectors that are not all zeros, wherever in a sector the data is", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(lengths, fc.nat(511), (runs, place) => {
        const sectors = sectorsOf(runs);
        const found = Array<boolean>(sectors.length).fill(false);
        for (const { start, end } of dataRuns(chunkOf(sectors, place))) found.fill(true, start / SECTOR, end / SECTOR);
        expect(found).toEqual(sectors);
      }),
      { numRuns: 60 },
    );
  });

  it("gives longest runs in order, and nothing for zeros", () => {
    expect(dataRuns(Buffer.alloc(CHUNK))).toEqual([]);
    expect(dataRuns(chunkOf(Array(1000).fill(true)))).toEqual([{ start: 0, end: 512_000 }]);
    expect(dataRuns(Buffer.alloc(0))).toEqual([]);
  });

  it("looks at the whole sector: its last byte counts", () => {
    const chunk = Buffer.alloc(CHUNK);
    chunk[CHUNK - 1] = 1;
    expect(dataRuns(chunk)).toEqual([{ start: CHUNK - SECTOR, end: CHUNK }]);
  });

  it("reads a part of a larger buffer", () => {
    const chunk = Buffer.concat([Buffer.alloc(SECTOR, 1), chunkOf([false, true])]).subarray(SECTOR);
    expect(dataRuns(chunk)).toEqual([{ start: SECTOR, end: 2 * SECTOR }]);
  });
});

describe("a range planner", () => {
  it("covers all data, in order, with at most 2% more than the data", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(fc.array(lengths, { minLength: 1, maxLength: 4 }), (chunks) => {
        const plan = createRangePlanner();
        let data = 0;
        let sent = 0;
        for (const chunk of chunks.map((runs) => chunkOf(sectorsOf(runs).slice(0, 8192)))) {
          const runs = dataRuns(chunk);
          const ranges = plan(runs);
          for (const [index, range] of ranges.entries())
            expect(range.start).toBeGreaterThanOrEqual(ranges[index - 1]?.end ?? 0);
          for (const run of runs) {
            expect(ranges.some(({ start, end }) => start <= run.start && end >= run.end)).toBe(true);
          }
          data += bytes(runs);
          sent += bytes(ranges);
        }
        expect(sent).toBeLessThanOrEqual(1.02 * data);
      }),
      { numRuns: 60 },
    );
  });

  it("joins the smallest gaps first, so that few requests carry much", () => {
    const chunk = chunkOf(sectorsOf([0, 2000, 1, 2000, 140, 2000, 2, 2000]));
    expect(createRangePlanner()(dataRuns(chunk))).toEqual([
      { start: 0, end: 4001 * SECTOR },
      { start: 4141 * SECTOR, end: 8143 * SECTOR },
    ]);
  });

  it("does not send a large gap, however much data there was before", () => {
    const plan = createRangePlanner();
    for (let index = 0; index < 8; index++) plan(dataRuns(Buffer.alloc(CHUNK, 1)));
    expect(plan(dataRuns(chunkOf(sectorsOf([0, 10, 200, 10]))))).toHaveLength(2);
    expect(plan(dataRuns(chunkOf(sectorsOf([0, 10, 100, 10]))))).toHaveLength(1);
  });

  it("plans the same disk the same way, as a resumed upload needs it", () => {
    const chunks = [3, 5, 7].map((step) =>
      chunkOf(Array.from({ length: 8192 }, (_, index) => index % (step * 9) > step)),
    );
    const [first, second] = [createRangePlanner(), createRangePlanner()];
    expect(chunks.map(dataRuns).map(first)).toEqual(chunks.map(dataRuns).map(second));
  });
});
