import { SECTOR_SIZE } from "./vhd-footer";

/** Bytes from `start` to before `end`, both whole sectors. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Bytes in all of some ranges. */
export function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { end, start }) => sum + end - start, 0);
}

/** Gaps up to this many bytes may be sent as zeros: about what a request costs on a fast line. */
const MERGED_GAP = 64 * 1024;
/** One byte of gap may be sent for this many bytes of data: 1.6%. */
const DATA_PER_GAP = 64;
const BLOCK_SIZE = 64 * 1024;
const WORDS_PER_SECTOR = SECTOR_SIZE / Int32Array.BYTES_PER_ELEMENT;
const zeroBlock = Buffer.alloc(BLOCK_SIZE);

/** Gives the ranges of a chunk that have to be sent, from its `dataRuns()`; both relative to the chunk's start. */
export type RangePlanner = (runs: readonly Range[]) => Range[];

/**
 * A planner for the chunks of one disk, given in order. It joins neighbours whose gap costs less than a request of its
 * own, smallest gaps first, as far as the gaps stay within 1.6% of the data so far. The same disk gives the same plan.
 */
export function createRangePlanner(): RangePlanner {
  let allowance = 0;
  return (runs) => {
    for (const { start, end } of runs) allowance += (end - start) / DATA_PER_GAP;
    const { merged, spent } = merge(runs, allowance);
    allowance = Math.max(0, allowance - spent);
    return merged;
  };
}

/** The longest runs of sectors that are not all zeros. */
export function dataRuns(chunk: Buffer): Range[] {
  const words = new Int32Array(chunk.buffer, chunk.byteOffset, Math.floor(chunk.length / Int32Array.BYTES_PER_ELEMENT));
  const runs: Range[] = [];
  let start = -1;
  for (let offset = 0; offset < chunk.length; offset += SECTOR_SIZE) {
    if (offset % BLOCK_SIZE === 0 && isZeroBlock(chunk, offset)) {
      if (start >= 0) runs.push({ start, end: offset });
      start = -1;
      offset += BLOCK_SIZE - SECTOR_SIZE;
    } else if (isZeroSector(words, offset / Int32Array.BYTES_PER_ELEMENT)) {
      if (start >= 0) runs.push({ start, end: offset });
      start = -1;
    } else if (start < 0) {
      start = offset;
    }
  }
  if (start >= 0) runs.push({ start, end: chunk.length });
  return runs;
}

function isZeroBlock(chunk: Buffer, start: number): boolean {
  const end = Math.min(start + BLOCK_SIZE, chunk.length);
  return chunk.compare(zeroBlock, 0, end - start, start, end) === 0;
}

function isZeroSector(words: Int32Array, start: number): boolean {
  for (let index = start; index < start + WORDS_PER_SECTOR; index++) {
    if (words[index] !== 0) return false;
  }
  return true;
}

function merge(runs: readonly Range[], allowance: number): { merged: Range[]; spent: number } {
  const gaps = runs.slice(1).map((run, index) => ({ index, size: run.start - (runs[index]?.end ?? 0) }));
  gaps.sort((left, right) => left.size - right.size || left.index - right.index);
  const joined = new Set<number>();
  let spent = 0;
  for (const { index, size } of gaps) {
    if (size > MERGED_GAP || spent + size > allowance) break;
    joined.add(index);
    spent += size;
  }
  const merged: Range[] = [];
  for (const [index, { start, end }] of runs.entries()) {
    const last = joined.has(index - 1) ? merged.pop() : undefined;
    merged.push({ start: last?.start ?? start, end });
  }
  return { merged, spent };
}
