import { hash } from "node:crypto";
import { CHUNK_SIZE } from "./content-hash";
import type { Range } from "./data-ranges";

/** The unit in which contents are found again elsewhere: a file system's usual block, in bytes. */
const BLOCK = 4096;
/** Of a block's SHA-1, in bytes. It is a hint: what is found by it is compared before it is believed. */
const HASH_BYTES = 6;

/** Records the hashes of a disk's blocks, as they are kept beside its image. */
export interface BlockRecorder {
  /** Adds the chunk at `index * CHUNK_SIZE`, with its `dataRuns()`, in order. Gives the hashes of its blocks with data. */
  add(index: number, chunk: Buffer, runs: readonly Range[]): ChunkBlocks;
  /** A line of JSON, `{"version":1,"runs":[[first block, blocks]…]}`, and then 6 bytes a block. */
  encode(): Buffer;
}

/** Hashes by block in a chunk. */
export type ChunkBlocks = ReadonlyMap<number, number>;

export function createBlockRecorder(): BlockRecorder {
  const runs: [first: number, count: number][] = [];
  const hashes: Buffer[] = [];
  return {
    add(index, chunk, dataRuns) {
      const blocks = new Map<number, number>();
      const first = (index * CHUNK_SIZE) / BLOCK;
      for (const block of wholeBlocks(chunk, dataRuns)) {
        const found = hash("sha1", chunk.subarray(block * BLOCK, (block + 1) * BLOCK), "buffer").subarray(
          0,
          HASH_BYTES,
        );
        hashes.push(found);
        blocks.set(block, found.readUIntBE(0, HASH_BYTES));
        const last = runs.at(-1);
        if (last && last[0] + last[1] === first + block) last[1] += 1;
        else runs.push([first + block, 1]);
      }
      return blocks;
    },
    encode: () => Buffer.concat([Buffer.from(`${JSON.stringify({ version: 1, runs })}\n`), ...hashes]),
  };
}

/** The blocks that hold data, but for a part of one at the disk's end. */
function* wholeBlocks(chunk: Buffer, runs: readonly Range[]): Generator<number> {
  let next = 0;
  for (const { start, end } of runs) {
    const first = Math.max(next, Math.floor(start / BLOCK));
    next = Math.max(first, Math.min(Math.ceil(end / BLOCK), Math.floor(chunk.length / BLOCK)));
    for (let block = first; block < next; block++) yield block;
  }
}

/** Where an earlier image has which blocks. */
export interface BlockIndex {
  /** Its blocks with data, in order. */
  readonly places: readonly number[];
  readonly hashes: readonly number[];
  /** Positions in these lists, by hash. */
  readonly byHash: ReadonlyMap<number, number>;
}

/** Reads what a `BlockRecorder` encoded. @throws if it is something else */
export function readBlockIndex(bytes: Buffer): BlockIndex {
  const end = bytes.indexOf("\n");
  const { runs, version } = JSON.parse(bytes.toString("utf8", 0, end)) as { runs: [number, number][]; version: number };
  if (version !== 1) throw new Error(`its block hashes are of version ${version}, only 1 is known`);
  const places = runs.flatMap(([first, count]) => Array.from({ length: count }, (_, index) => first + index));
  if (bytes.length !== end + 1 + places.length * HASH_BYTES) throw new Error("its block hashes are cut");
  const hashes = places.map((_, index) => bytes.readUIntBE(end + 1 + index * HASH_BYTES, HASH_BYTES));
  return { places, hashes, byHash: new Map(hashes.map((value, index) => [value, index])) };
}

/** A part of a chunk, and where an earlier image has the same, in bytes from its start. */
export interface Copy extends Range {
  readonly source: number;
}

/** The parts of a chunk that an earlier image has, as long as they are in one piece there. In order. */
export function findCopies(blocks: ChunkBlocks, { byHash, hashes, places }: BlockIndex): Copy[] {
  const copies: { start: number; end: number; source: number }[] = [];
  let position = -1;
  for (const [block, value] of blocks) {
    const last = copies.at(-1);
    const goesOn = last?.end === block * BLOCK && hashes[position + 1] === value;
    if (last && goesOn && places[position + 1] === (places[position] ?? -1) + 1) {
      position += 1;
      last.end += BLOCK;
      continue;
    }
    position = byHash.get(value) ?? -1;
    const place = places[position];
    if (place !== undefined) copies.push({ start: block * BLOCK, end: (block + 1) * BLOCK, source: place * BLOCK });
  }
  return copies;
}

/** What of some runs is in none of the copies. Both in order. */
export function without(runs: readonly Range[], copies: readonly Range[]): Range[] {
  const left: Range[] = [];
  for (const { start, end } of runs) {
    let at = start;
    for (const copy of copies) {
      if (copy.end <= at || copy.start >= end) continue;
      if (copy.start > at) left.push({ start: at, end: copy.start });
      at = copy.end;
    }
    if (at < end) left.push({ start: at, end });
  }
  return left;
}
