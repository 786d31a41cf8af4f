import * as fs from "node:fs/promises";
import { CHUNK_SIZE } from "../disk/content-hash";
import { dataRuns, lengthOf, type Range } from "../disk/data-ranges";
import { dataSegments, piecesOfChunks } from "../disk/data-segments";
import { checkBackup } from "../disk/partition-table";
import { checkFixedVhd, FOOTER_SIZE, fixedVhdFooter, SECTOR_SIZE } from "../disk/vhd-footer";
import type { BufferPool } from "./buffer-pool";
import type { Disk } from "./disk";
import { REPACK, unpack } from "./zstd";

/** A piece of the disk that is not all zeros, at `index * CHUNK_SIZE`. */
export interface Chunk {
  readonly index: number;
  /** A pool's buffer: the taker of the chunk gives it back. */
  readonly buffer: Buffer;
  /** The chunk's bytes in that buffer: `CHUNK_SIZE` of them, fewer at the disk's end. */
  readonly bytes: Buffer;
  /** Its `dataRuns()`, at least one. */
  readonly runs: readonly Range[];
}

/** How far a disk has been read. Bytes. */
export interface Reading {
  /** Of the whole disk: all before it was zeros, or in chunks that have been taken. */
  readonly position: number;
  /** What of the disk is not known to be holes. */
  readonly data: number;
  /** What of `data` is yet to be read. */
  readonly left: number;
}

export interface ReadOptions {
  /** Called at the start, and when the taker of the chunks comes back for the next. */
  readonly onRead: (reading: Reading) => void;
  readonly signal: AbortSignal;
  /** `dataSegments()` of the disk, where they have been looked for already. */
  readonly segments?: Promise<readonly Range[]> | undefined;
}

/**
 * Reads the disk once, from its start to its end: its chunks with data, each in a buffer of the pool.
 * @throws also if a packed disk turns out not to be a fixed VHD: its last chunk is then never given
 */
export function readChunks(disk: Disk, pool: BufferPool, options: ReadOptions): AsyncGenerator<Chunk> {
  return disk.format === "zstd" ? unpackedChunks(disk, pool, options) : fileChunks(disk, pool, options);
}

async function* fileChunks(disk: Disk, pool: BufferPool, options: ReadOptions): AsyncGenerator<Chunk> {
  const { onRead, signal } = options;
  const segments = await (options.segments ?? dataSegments(disk.file));
  const footer = disk.format === "raw" ? fixedVhdFooter(disk.size - 512, Buffer.from(disk.id, "hex")) : undefined;
  const data = lengthOf(segments);
  let left = data;
  onRead({ position: 0, data, left });
  const file = await fs.open(disk.file);
  const chunks = piecesOfChunks(segments, disk.size)[Symbol.iterator]();
  const readNext = async (): Promise<(Chunk & { readonly read: number }) | undefined> => {
    const { done, value } = chunks.next();
    if (done) return undefined;
    const { index, pieces } = value;
    const buffer = await pool.take();
    const bytes = buffer.subarray(0, Math.min(CHUNK_SIZE, disk.size - index * CHUNK_SIZE));
    await readPieces(file, pieces, bytes, index * CHUNK_SIZE, disk.file);
    if (footer && index * CHUNK_SIZE + bytes.length === disk.size) footer.copy(bytes, bytes.length - footer.length);
    return { index, buffer, bytes, runs: dataRuns(bytes), read: lengthOf(pieces) };
  };
  try {
    for (let chunk = await readNext(); chunk; ) {
      signal.throwIfAborted();
      const next = readNext(); // while the taker works on this one
      next.catch(() => {}); // thrown below, unless the taker has had enough
      if (chunk.runs.length > 0) yield chunk;
      else pool.give(chunk.buffer);
      left -= chunk.read;
      onRead({ position: chunk.index * CHUNK_SIZE + chunk.bytes.length, data, left });
      chunk = await next;
    }
  } finally {
    await file.close();
  }
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
async function* unpackedChunks(disk: Disk, pool: BufferPool, { onRead, signal }: ReadOptions): AsyncGenerator<Chunk> {
  const report = (position: number) => onRead({ position, data: disk.size, left: disk.size - position });
  report(0);
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
      signal.throwIfAborted();
      const runs = dataRuns(buffer);
      if (runs.length > 0) {
        yield { index, buffer, bytes: buffer, runs };
        buffer = await pool.take();
      }
      index += 1;
      filled = 0;
      report(index * CHUNK_SIZE);
    }
  }
  await ended;
  const size = index * CHUNK_SIZE + filled;
  if (size !== disk.size)
    throw new Error(`'${disk.file}' unpacks to ${size} bytes, its headers say ${disk.size}: ${REPACK}`);
  const bytes = buffer.subarray(0, filled); // not empty: the size is never a whole number of chunks
  checkFixedVhd(disk.file, bytes.subarray(-FOOTER_SIZE), size);
  checkPackedBackup(disk, bytes, index * CHUNK_SIZE);
  const runs = dataRuns(bytes);
  if (runs.length > 0) yield { index, buffer, bytes, runs };
  else pool.give(buffer);
  report(size);
}

/** A GPT's backup lies at the disk's end, unless the disk was padded. */
function checkPackedBackup({ file, table }: Disk, bytes: Buffer, start: number): void {
  const at = (table.backup ?? 0) - start;
  if (at >= 0) checkBackup(file, table, bytes.subarray(at, at + SECTOR_SIZE));
}
