import * as fs from "node:fs";
import { CHUNK_SIZE } from "../../../components/image/disk/content-hash";
import { createRangePlanner, dataRuns, type Range } from "../../../components/image/disk/data-ranges";

/** What there is to send of a disk. */
export interface DiskPlan {
  /** What the uploader will send: runs of data, small gaps joined. */
  readonly ranges: readonly Range[];
  /** Bytes of all sectors that are not all zeros. */
  readonly dataBytes: number;
}

export function planDisk(file: string): DiskPlan {
  const plan = createRangePlanner();
  const buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  const descriptor = fs.openSync(file, "r");
  const ranges: Range[] = [];
  let dataBytes = 0;
  for (let place = 0; ; place += CHUNK_SIZE) {
    const chunk = buffer.subarray(0, fs.readSync(descriptor, buffer, 0, CHUNK_SIZE, place));
    if (chunk.length === 0) break;
    const runs = dataRuns(chunk);
    for (const { start, end } of runs) dataBytes += end - start;
    for (const { start, end } of plan(runs)) ranges.push({ start: place + start, end: place + end });
  }
  fs.closeSync(descriptor);
  return { ranges, dataBytes };
}
