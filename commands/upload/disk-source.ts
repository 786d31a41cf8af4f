import * as fs from "node:fs/promises";
import type { Readable } from "node:stream";
import { CHUNK_SIZE } from "../../image/content-hash";
import { dataRuns, type Range } from "../../image/data-ranges";
import { fixedVhdFooter } from "../../image/vhd-footer";
import { runChild } from "../child-process";
import type { BufferPool } from "./buffer-pool";
import { dataSegments } from "./data-segments";
import type { Disk } from "./disk";

/** A piece of the disk that is not all zeros, at `index * CHUNK_SIZE`. */
export interface Chunk {
  readonly index: number;
  /** A pool's buffer: whoever takes the chunk gives it back. */
  readonly buffer: Buffer;
  /** The chunk's bytes in that buffer: `CHUNK_SIZE` of them, fewer at the disk's end. */
  readonly bytes: Buffer;
  /** Its `dataRuns()`, at least one. */
  readonly runs: readonly Range[];
}

/** Tells how far the disk has been read. Bytes. */
export type OnPosition = (position: number) => void;

/** Reads the disk once, from its start to its end: its chunks with data, each in a buffer of the pool. */
export function readChunks(disk: Disk, pool: BufferPool, onPosition: OnPosition): AsyncGenerator<Chunk> {
  return disk.format === "zstd" ? unpackedChunks(disk, pool, onPosition) : fileChunks(disk, pool, onPosition);
}

async function* fileChunks(disk: Disk, pool: BufferPool, onPosition: OnPosition): AsyncGenerator<Chunk> {
  const segments = await dataSegments(disk.file);
  const footer = disk.format === "raw" ? fixedVhdFooter(disk.size - 512, Buffer.from(disk.id, "hex")) : undefined;
  const file = await fs.open(disk.file);
  try {
    for (const [index, pieces] of piecesOfChunks(segments, disk)) {
      const start = index * CHUNK_SIZE;
      const buffer = await pool.take();
      const bytes = buffer.subarray(0, Math.min(CHUNK_SIZE, disk.size - start));
      await readPieces(file, pieces, bytes, start, disk.file);
      if (footer && start + bytes.length === disk.size) footer.copy(bytes, bytes.length - footer.length);
      onPosition(start + bytes.length);
      const runs = dataRuns(bytes);
      if (runs.length > 0) yield { index, buffer, bytes, runs };
      else pool.give(buffer);
    }
  } finally {
    await file.close();
  }
}

/** By chunk, in order: what of it is in segments, relative to its start. The last chunk, where the footer is, always. */
function piecesOfChunks(segments: readonly Range[], disk: Disk): Map<number, Range[]> {
  const chunks = new Map<number, Range[]>();
  for (const { start, end } of segments) {
    for (let index = Math.floor(start / CHUNK_SIZE); index * CHUNK_SIZE < end; index++) {
      const chunk = index * CHUNK_SIZE;
      const piece = { start: Math.max(start - chunk, 0), end: Math.min(end - chunk, CHUNK_SIZE) };
      chunks.set(index, [...(chunks.get(index) ?? []), piece]);
    }
  }
  const last = Math.ceil(disk.size / CHUNK_SIZE) - 1;
  return chunks.has(last) ? chunks : chunks.set(last, []);
}

/** Reads what is in the file of a chunk at `start`. All else, holes and what a raw disk is padded with, is zeros. */
async function readPieces(
  file: fs.FileHandle,
  pieces: readonly Range[],
  bytes: Buffer,
  start: number,
  name: string,
): Promise<void> {
  let filled = 0;
  for (const piece of pieces) {
    bytes.fill(0, filled, piece.start);
    await readFully(file, bytes.subarray(piece.start, piece.end), start + piece.start, name);
    filled = piece.end;
  }
  bytes.fill(0, filled);
}

async function readFully(file: fs.FileHandle, target: Buffer, offset: number, name: string): Promise<void> {
  for (let filled = 0; filled < target.length; ) {
    const { bytesRead } = await file.read(target, filled, target.length - filled, offset + filled);
    if (bytesRead === 0) throw new Error(`'${name}' became shorter while it was read: let its writer finish first`);
    filled += bytesRead;
  }
}

/** The content of a zstd file, unpacked as a stream: it never lies on disk. */
async function* unpackedChunks(disk: Disk, pool: BufferPool, onPosition: OnPosition): AsyncGenerator<Chunk> {
  const { ended, stdout } = await unpack(disk.file);
  let buffer = await pool.take();
  let filled = 0;
  let index = 0;
  for await (const piece of stdout as AsyncIterable<Buffer>) {
    for (let taken = 0; taken < piece.length; ) {
      const count = piece.copy(buffer, filled, taken, taken + CHUNK_SIZE - filled);
      filled += count;
      taken += count;
      if (filled < CHUNK_SIZE) continue;
      onPosition((index + 1) * CHUNK_SIZE);
      const runs = dataRuns(buffer);
      if (runs.length > 0) {
        yield { index, buffer, bytes: buffer, runs };
        buffer = await pool.take();
      }
      index += 1;
      filled = 0;
    }
  }
  await ended;
  const size = index * CHUNK_SIZE + filled;
  if (size !== disk.size)
    throw new Error(`'${disk.file}' holds ${size} bytes, its header says ${disk.size}: ${REPACK}`);
  onPosition(size);
  const bytes = buffer.subarray(0, filled);
  const runs = dataRuns(bytes);
  if (runs.length > 0) yield { index, buffer, bytes, runs };
  else pool.give(buffer);
}

const REPACK = "pack it again with `zstd --force disk.vhd`";

/** Starts zstd on a file. `ended` fails with zstd's own words where the file is damaged. */
export async function unpack(file: string): Promise<{ stdout: Readable; ended: Promise<void> }> {
  let ended: Promise<void> | undefined;
  const stdout = await new Promise<Readable>((consume, fail) => {
    const run = runChild("zstd", ["--decompress", "--stdout", "--long=31", "--quiet", "--", file], { consume });
    ended = run.then(({ code, stderr }) => {
      if (code !== 0) throw new Error(`cannot unpack '${file}': ${stderr.trim() || "zstd was killed"}`);
    });
    ended.catch(fail); // where it does not even start
  });
  return { stdout, ended: ended ?? Promise.resolve() };
}
