import { createHash } from "node:crypto";
import type { Range } from "./data-ranges";

/** The grid on which contents are read, hashed and sent: the largest range that one Put Page takes, in bytes. */
export const CHUNK_SIZE = 4 * 1024 * 1024;
/** Inside a chunk, blocks of this size (in bytes) that are all zeros are not hashed. */
const BLOCK_SIZE = 64 * 1024;

/** A hash that takes a content's chunks one by one, in order. */
export interface ContentHash {
  /** Adds the chunk at `index * CHUNK_SIZE`, with its `dataRuns()`. Chunks of zeros may be left out. */
  add(index: number, chunk: Buffer, runs: readonly Range[]): void;
  /** 64 hex digits. */
  digest(): string;
}

/**
 * The hash of a content of `size` bytes, as a tree of two levels: SHA-256 over the size and over the index and SHA-256
 * of each chunk, where a chunk is its blocks of 64 KiB that are not all zeros. Equal contents have equal hashes, sparse
 * or not, and zeros cost next to nothing.
 */
export function createContentHash(size: number): ContentHash {
  const root = createHash("sha256").update(`sealed-onion content 1\n${size}\n`);
  let last = -1;
  return {
    add(index, chunk, runs) {
      if (index <= last) throw new RangeError(`chunk ${index} comes after chunk ${last}: add chunks in order`);
      last = index;
      if (runs.length > 0) root.update(`${index} ${hashChunk(chunk, runs)}\n`);
    },
    digest: () => root.digest("hex"),
  };
}

/** SHA-256 over each run of blocks with data: its place and length, then its bytes. */
function hashChunk(chunk: Buffer, runs: readonly Range[]): string {
  const hash = createHash("sha256");
  for (const { start, end } of blocksOf(runs)) {
    const run = chunk.subarray(start, Math.min(end, chunk.length));
    hash.update(`${start} ${run.length}\n`).update(run);
  }
  return hash.digest("hex");
}

/** The runs widened to whole blocks, those that touch joined. */
function blocksOf(runs: readonly Range[]): Range[] {
  const blocks: Range[] = [];
  for (const run of runs) {
    const start = Math.floor(run.start / BLOCK_SIZE) * BLOCK_SIZE;
    const end = Math.ceil(run.end / BLOCK_SIZE) * BLOCK_SIZE;
    const last = blocks.at(-1);
    const joins = last !== undefined && start <= last.end;
    if (joins) blocks.pop();
    blocks.push({ start: joins ? last.start : start, end });
  }
  return blocks;
}
