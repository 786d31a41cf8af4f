import { createHash } from "node:crypto";

/** The grid on which contents are read, hashed and sent: the largest range that one Put Page takes, in bytes. */
export const CHUNK_SIZE = 4 * 1024 * 1024;

/** A hash that takes a content's chunks one by one, in any order. */
export interface ContentHash {
  /** Adds the chunk at `index * CHUNK_SIZE`. A chunk of zeros is left out: that is what makes holes cost nothing. */
  add(index: number, chunk: Uint8Array): void;
  /** 64 hex digits. */
  digest(): string;
}

/**
 * The hash of a content of `size` bytes, as a tree of two levels: SHA-256 over the size and over the index and SHA-256
 * of each chunk that is not all zeros. Equal contents have equal hashes, sparse or not.
 */
export function createContentHash(size: number): ContentHash {
  const leaves = new Map<number, string>();
  return {
    add(index, chunk) {
      leaves.set(index, createHash("sha256").update(chunk).digest("hex"));
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
