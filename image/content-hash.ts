import { createHash } from "node:crypto";

/** The grid on which contents are read, hashed and sent: the largest range that one Put Page takes, in bytes. */
export const CHUNK_SIZE = 4 * 1024 * 1024;
/** Inside a chunk, blocks of this size (in bytes) that are all zeros are not hashed. */
const BLOCK_SIZE = 64 * 1024;
const zeroBlock = Buffer.alloc(BLOCK_SIZE);

/** A hash that takes a content's chunks one by one, in any order. */
export interface ContentHash {
  /** Adds the chunk at `index * CHUNK_SIZE`. Chunks of zeros need not be added. */
  add(index: number, chunk: Buffer): void;
  /** 64 hex digits. */
  digest(): string;
}

/**
 * The hash of a content of `size` bytes, as a tree of two levels: SHA-256 over the size and over the index and SHA-256
 * of each chunk, where a chunk is its blocks of 64 KiB that are not all zeros. Equal contents have equal hashes, sparse
 * or not, and zeros cost next to nothing.
 */
export function createContentHash(size: number): ContentHash {
  const leaves = new Map<number, string>();
  return {
    add(index, chunk) {
      const leaf = hashChunk(chunk);
      if (leaf) leaves.set(index, leaf);
    },
    digest() {
      const root = createHash("sha256").update(`sealed-onion content 1\n${size}\n`);
      for (const index of [...leaves.keys()].sort((left, right) => left - right)) {
        root.update(`${index} ${leaves.get(index)}\n`);
      }
      return root.digest("hex");
    },
  };
}

/** SHA-256 over each run of blocks with data: its place and length, then its bytes. Undefined for zeros. */
function hashChunk(chunk: Buffer): string | undefined {
  const hash = createHash("sha256");
  let hasData = false;
  for (let start = 0; start < chunk.length; ) {
    let end = start;
    while (end < chunk.length && !isZeroBlock(chunk, end)) end += BLOCK_SIZE;
    if (end > start) {
      const run = chunk.subarray(start, Math.min(end, chunk.length));
      hash.update(`${start} ${run.length}\n`).update(run);
      hasData = true;
    }
    start = end + BLOCK_SIZE; // the block at `end` is zeros, or behind the chunk
  }
  return hasData ? hash.digest("hex") : undefined;
}

function isZeroBlock(chunk: Buffer, start: number): boolean {
  const end = Math.min(start + BLOCK_SIZE, chunk.length);
  return chunk.compare(zeroBlock, 0, end - start, start, end) === 0;
}
