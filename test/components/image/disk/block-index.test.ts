import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createBlockRecorder,
  findCopies,
  readBlockIndex,
  without,
} from "../../../../components/image/disk/block-index";
import { CHUNK_SIZE } from "../../../../components/image/disk/content-hash";
import { dataRuns } from "../../../../components/image/disk/data-ranges";
import { noise } from "../upload/test-disks";

const BLOCK = 4096;
/** A disk of blocks: 0 is zeros, equal numbers are equal contents. */
const diskOf = (blocks: readonly number[], end = 0): Buffer =>
  Buffer.concat([
    ...blocks.map((block) => (block === 0 ? Buffer.alloc(BLOCK) : noise(`${block}`, BLOCK))),
    noise("end", end),
  ]);

function recordOf(disk: Buffer) {
  const recorder = createBlockRecorder();
  const chunks = [];
  for (let index = 0; index * CHUNK_SIZE < disk.length; index++) {
    const chunk = disk.subarray(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE);
    chunks.push({ base: index * CHUNK_SIZE, blocks: recorder.add(index, chunk, dataRuns(chunk)) });
  }
  return { chunks, encoded: recorder.encode() };
}

describe("the blocks of an earlier image", () => {
  it("are found wherever they are now, and cover all of what is not new", () => {
    const layout = fc.array(fc.nat(12), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(layout, layout, fc.constantFrom(0, 512), (before, after, end) => {
        const [old, next] = [diskOf(before), diskOf(after, end)];
        const index = readBlockIndex(recordOf(old).encoded);
        const copies = recordOf(next).chunks.flatMap(({ blocks }) => findCopies(blocks, index));
        for (const { start, end: copyEnd, source } of copies)
          expect(next.subarray(start, copyEnd)).toEqual(old.subarray(source, source + copyEnd - start));
        const left = without(dataRuns(next), copies);
        const news = after.filter((block) => block !== 0 && !before.includes(block)).length;
        expect(left.reduce((sum, range) => sum + range.end - range.start, 0)).toBe(news * BLOCK + end);
      }),
    );
  });

  it("are copied in one piece where they lie in one", () => {
    const index = readBlockIndex(recordOf(diskOf([1, 2, 3, 0, 4, 5])).encoded);
    const [chunk] = recordOf(diskOf([4, 5, 9, 1, 2, 3])).chunks;
    expect(findCopies(chunk?.blocks ?? new Map(), index)).toEqual([
      { start: 0, end: 2 * BLOCK, source: 4 * BLOCK },
      { start: 3 * BLOCK, end: 6 * BLOCK, source: 0 },
    ]);
  });

  it("are not read from what is cut or of another version", () => {
    const { encoded } = recordOf(diskOf([1, 2]));
    expect(() => readBlockIndex(encoded.subarray(0, -1))).toThrow("its block hashes are cut");
    expect(() => readBlockIndex(Buffer.from('{"version":2,"runs":[]}\n'))).toThrow("of version 2, only 1 is known");
  });
});
