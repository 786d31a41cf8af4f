import * as fs from "node:fs";
import { unpack } from "../upload/zstd";
import { fileContent, rememberMarks } from "./file-digest";
import { LONGEST_MARK, type MadeFor, marksIn } from "./made-for";

/** The first bytes of a zstd frame, and of one to be skipped. Source: RFC 8878, 3.1 */
const ZSTD = ["28b52ffd", "502a4d18"];

/**
 * What a disk says that it was made for. Nothing where it does not: an older version of this program, or something else,
 * has built it. The whole disk is read for that, once: see `fileContent`.
 * @throws if it cannot be read or unpacked
 */
export async function diskMarks(file: string): Promise<readonly MadeFor[]> {
  const { marks, unpacked } = fileContent(file);
  if (unpacked || marks.length > 0 || !isPacked(file)) return marks;
  const found = await marksInPacked(file);
  rememberMarks(file, found);
  return found;
}

function isPacked(file: string): boolean {
  const descriptor = fs.openSync(file, "r");
  try {
    const start = Buffer.alloc(4);
    fs.readSync(descriptor, start, 0, start.length, 0);
    return ZSTD.includes(start.toString("hex"));
  } finally {
    fs.closeSync(descriptor);
  }
}

async function marksInPacked(file: string): Promise<MadeFor[]> {
  const { ended, stdout } = await unpack(file);
  let found: MadeFor[] = [];
  let last = Buffer.alloc(0);
  for await (const piece of stdout as AsyncIterable<Buffer>) {
    const both = Buffer.concat([last, piece]);
    const marks = marksIn(both);
    found = [...found, ...marks];
    // A mark that lies in both is not to be found twice.
    last = marks.length > 0 ? Buffer.alloc(0) : Buffer.from(both.subarray(-LONGEST_MARK));
  }
  await ended;
  return found;
}
