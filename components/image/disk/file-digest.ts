import * as fs from "node:fs";
import * as path from "node:path";
import { makeFolder } from "../../process/on-disk";
import { CHUNK_SIZE, createContentHash } from "./content-hash";
import { dataRuns } from "./data-ranges";
import { dataSegmentsSync, piecesOfChunks } from "./data-segments";
import { checkDiskFile } from "./disk-file";
import { type MadeFor, marksIn } from "./made-for";

/** What is known of a file once it was read. */
interface FileContent {
  /** Its content hash, 64 hex digits: see `createContentHash`. */
  readonly digest: string;
  /** What it says that it was made for, wherever that lies in it. */
  readonly marks: readonly MadeFor[];
  /** Set once the marks were looked for in what a packed file holds. */
  readonly unpacked?: true;
}

/** Where digests are remembered, relative to the project's root: one JSON file, path -> what it was made of. */
const MEMORY = ".cache/file-digests.json";

interface Remembered extends FileContent {
  /** The file's `fileStamp()` when it was read. */
  readonly stamp: string;
}

/** The content hash of a file as it lies on disk: see `fileContent`. */
export function fileDigest(file: string, memory = MEMORY): string {
  return fileContent(file, memory).digest;
}

/**
 * Reads a file as it lies on disk, once: what is in it is remembered under `.cache/` until the file's size, times or inode
 * change. A preview does not read gigabytes again.
 * @throws if there is no ordinary file that can be read
 */
export function fileContent(file: string, memory = MEMORY): FileContent {
  const size = checkDiskFile(file);
  const location = path.resolve(file);
  const stamp = fileStamp(location);
  const remembered = readMemory(memory);
  const known = remembered[location];
  if (known?.stamp === stamp && known.marks) return known;
  const read = readFile(location, size);
  writeMemory(memory, { ...remembered, [location]: { stamp, ...read } });
  return read;
}

/** Of a file whose marks show only once it is unpacked. */
export function rememberMarks(file: string, marks: readonly MadeFor[], memory = MEMORY): void {
  const location = path.resolve(file);
  const remembered = readMemory(memory);
  const known = remembered[location];
  if (known) writeMemory(memory, { ...remembered, [location]: { ...known, marks, unpacked: true } });
}

/**
 * Size, times and inode of a file, behind links: another text whenever it was written to or another file took its place.
 * In Nix's store all files have one modification time; the time of change (ctime) tells them apart, and none can set it.
 * @throws if there is no such file
 */
export function fileStamp(file: string): string {
  const { ctimeNs, ino, mtimeNs, size } = fs.statSync(file, { bigint: true });
  return [size, mtimeNs, ctimeNs, ino].join(":");
}

/** Holes are zeros, and need not be read. */
function readFile(file: string, size: number): FileContent {
  const hash = createContentHash(size);
  const marks: MadeFor[] = [];
  const buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  const descriptor = fs.openSync(file, "r");
  try {
    for (const { index, pieces } of piecesOfChunks(dataSegmentsSync(file), size)) {
      const chunk = buffer.subarray(0, Math.min(CHUNK_SIZE, size - index * CHUNK_SIZE));
      let filled = 0;
      for (const { start, end } of pieces) {
        chunk.fill(0, filled, start);
        readExactly(descriptor, chunk.subarray(start, end), index * CHUNK_SIZE + start, file);
        filled = end;
      }
      hash.add(index, chunk.fill(0, filled), dataRuns(chunk));
      marks.push(...marksIn(chunk));
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return { digest: hash.digest(), marks };
}

function readExactly(descriptor: number, target: Buffer, offset: number, file: string): void {
  for (let filled = 0; filled < target.length; ) {
    const count = fs.readSync(descriptor, target, filled, target.length - filled, offset + filled);
    if (count === 0) throw new Error(`'${file}' became shorter while it was read: let its writer finish first`);
    filled += count;
  }
}

function readMemory(memory: string): Record<string, Remembered> {
  try {
    return JSON.parse(fs.readFileSync(memory, "utf8"));
  } catch {
    return {}; // no memory yet, or a damaged one: the file is read again
  }
}

/** Written beside and renamed, as several previews may run at once. What is lost, on a full disk too, is only read again. */
function writeMemory(memory: string, content: Record<string, Remembered>): void {
  const temporary = `${memory}.${process.pid}`;
  try {
    makeFolder(path.dirname(memory));
    fs.writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`);
    fs.renameSync(temporary, memory);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}
