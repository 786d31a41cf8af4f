import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../process/child-process";
import { findOnPath } from "../../process/find-program";
import type { Range } from "../disk/data-ranges";

/** A map longer than this is not read: such a file has hardly any holes worth skipping. Bytes. */
const LONGEST_MAP = 1024 * 1024;
const TAR_BLOCK = 512;

/**
 * Where a sparse file has data: the rest are holes, which need not even be read. Node cannot ask the file system
 * (lseek's SEEK_HOLE), `tar` can: it begins an archive of a sparse file with such a map, and is stopped behind it.
 * Without tar, or for a file without holes, the whole file is one segment.
 */
export async function dataSegments(file: string): Promise<Range[]> {
  const location = fs.realpathSync(file); // tar would archive a link itself
  const { blocks, size } = fs.statSync(location);
  const whole = [{ start: 0, end: size }];
  const tar = blocks * 512 > size * 0.95 ? undefined : gnuTar();
  if (tar === undefined) return whole;
  const [folder, name] = [path.dirname(location), path.basename(location)];
  const { stdout } = await runChild(
    tar,
    ["--create", "--format=posix", "--sparse", "--sparse-version=1.0", `--directory=${folder}`, "--", name],
    { maximumOutput: LONGEST_MAP },
  );
  return sparseMap(stdout, size) ?? whole;
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
