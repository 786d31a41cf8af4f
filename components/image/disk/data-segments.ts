import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../process/child-process";
import { findOnPath } from "../../process/find-program";
import { CHUNK_SIZE } from "./content-hash";
import type { Range } from "./data-ranges";

/** A map longer than this is not read: such a file has hardly any holes worth skipping. Bytes. */
const LONGEST_MAP = 1024 * 1024;
const TAR_BLOCK = 512;

/**
 * Where a sparse file has data: the rest are holes, which need not even be read. Node cannot ask the file system
 * (lseek's SEEK_HOLE), `tar` can: it begins an archive of a sparse file with such a map, and is stopped behind it.
 * Without tar, or for a file without holes, the whole file is one segment.
 */
export async function dataSegments(file: string): Promise<Range[]> {
  const sparse = mapped(file);
  const { stdout } = sparse.tar ? await runChild(sparse.tar, sparse.command, { maximumOutput: LONGEST_MAP }) : nothing;
  return sparseMap(stdout, sparse.size) ?? [{ start: 0, end: sparse.size }];
}

/** `dataSegments()`, at once: for a digest that a resource is named by. */
export function dataSegmentsSync(file: string): Range[] {
  const sparse = mapped(file);
  // tar is ended when the map is longer than the buffer, or read: what it printed until then is what is wanted
  const { stdout } = sparse.tar ? spawnSync(sparse.tar, sparse.command, { maxBuffer: LONGEST_MAP }) : nothing;
  return sparseMap(stdout, sparse.size) ?? [{ start: 0, end: sparse.size }];
}

const nothing = { stdout: Buffer.alloc(0) };

/** The command that draws the map; without `tar` where there is none, or nothing to draw. */
function mapped(file: string): { tar: string | undefined; command: string[]; size: number } {
  const location = fs.realpathSync(file); // tar would archive a link itself
  const { blocks, size } = fs.statSync(location);
  const tar = blocks * 512 > size * 0.95 ? undefined : gnuTar();
  const [folder, name] = [path.dirname(location), path.basename(location)];
  const form = ["--create", "--format=posix", "--sparse", "--sparse-version=1.0"];
  return { tar, command: [...form, `--directory=${folder}`, "--", name], size };
}

/** GNU tar is `gtar` where the system has a tar of its own, as macOS does: that one draws no map. */
function gnuTar(): string | undefined {
  return findOnPath("gtar") ?? findOnPath("tar");
}

/**
 * Reads the map at the start of an archive in "PAX format, version 1.0"
 * (https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html): behind the header of the file, the
 * number of segments, then offset and length of each, as decimal lines. Undefined for anything else.
 */
export function sparseMap(archive: Buffer, size: number): Range[] | undefined {
  const extended = memberAt(archive, 0);
  if (extended?.type !== "x") return undefined;
  const records = archive.toString("utf8", TAR_BLOCK, TAR_BLOCK + extended.size);
  if (!records.includes(" GNU.sparse.major=1\n") || !records.includes(` GNU.sparse.realsize=${size}\n`))
    return undefined;
  const fileHeader = TAR_BLOCK + Math.ceil(extended.size / TAR_BLOCK) * TAR_BLOCK;
  const numbers =
    archive
      .toString("latin1", fileHeader + TAR_BLOCK)
      .match(/^(\d+\n)+/)?.[0]
      .trimEnd()
      .split("\n") ?? [];
  const [count = -1, ...values] = numbers.map(Number);
  if (count < 0 || values.length < 2 * count) return undefined; // longer than what was read
  const segments: Range[] = [];
  for (let index = 0; index < count; index++) {
    const [start = 0, length = 0] = values.slice(2 * index);
    if (length > 0) segments.push({ start, end: start + length });
  }
  return segments;
}

function memberAt(archive: Buffer, offset: number): { type: string; size: number } | undefined {
  if (archive.length < offset + TAR_BLOCK) return undefined;
  const type = archive.toString("latin1", offset + 156, offset + 157);
  const size = Number.parseInt(archive.toString("latin1", offset + 124, offset + 136), 8);
  return Number.isNaN(size) ? undefined : { type, size };
}

interface ChunkPieces {
  readonly index: number;
  /** Relative to the chunk's start. */
  readonly pieces: Range[];
}

/**
 * What of each chunk is in segments, which are in order. One chunk at a time: a disk of terabytes has many. The last
 * chunk, where the footer is, always comes.
 */
export function* piecesOfChunks(segments: readonly Range[], diskSize: number): Generator<ChunkPieces> {
  let chunk: ChunkPieces | undefined;
  for (const { start, end } of segments) {
    for (let index = Math.floor(start / CHUNK_SIZE); index * CHUNK_SIZE < end; index++) {
      if (chunk?.index !== index) {
        if (chunk) yield chunk;
        chunk = { index, pieces: [] };
      }
      const base = index * CHUNK_SIZE;
      chunk.pieces.push({ start: Math.max(start - base, 0), end: Math.min(end - base, CHUNK_SIZE) });
    }
  }
  if (chunk) yield chunk;
  const last = Math.ceil(diskSize / CHUNK_SIZE) - 1;
  if (chunk?.index !== last) yield { index: last, pieces: [] };
}
