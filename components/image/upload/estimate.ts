import { CHUNK_SIZE } from "../disk/content-hash";
import { lengthOf, type Range } from "../disk/data-ranges";
import { createBufferPool } from "./buffer-pool";
import type { Disk } from "./disk";
import { type Reading, type ReadOptions, readChunks } from "./disk-source";

/** How much of a disk is yet to be sent. Bytes. */
export interface Estimate {
  /** A chunk was read: its `dataRuns()`, and how many bytes of it are to be sent. */
  add(runs: readonly Range[], toSend: number): void;
  /** What of the chunks so far is not sent yet, and of what is unread as large a part as of them. */
  left(reading: Reading, sent: number): number;
  /** Nothing is counted from here on. */
  end(): void;
}

/** A quick line is done before it would help to have counted: reading all costs memory and time there. */
const COUNTED_AFTER_MS = 3_000;

/**
 * Until the disk's data has been counted, beside the upload, what is unread is taken to be as dense as what was read.
 * A packed disk is never counted: it would have to be unpacked twice.
 */
export function createEstimate(disk: Disk, options: Pick<ReadOptions, "segments" | "signal">): Estimate {
  let [data, toSend] = [0, 0];
  let all: number | undefined;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const count = async (): Promise<void> => {
    all = await countData(disk, { ...options, signal }).catch(() => undefined); // the upload meets the same, and tells
  };
  const timer = disk.format === "zstd" ? undefined : setTimeout(count, COUNTED_AFTER_MS).unref();
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return {
    add(runs, bytes) {
      data += lengthOf(runs);
      toSend += bytes;
    },
    left(reading, sent) {
      const read = reading.data - reading.left;
      const density = all === undefined ? toSend / read : toSend / data;
      const unread = all === undefined ? reading.left : Math.max(0, all - data);
      return Math.max(0, toSend - sent + unread * (Number.isFinite(density) ? density : 1));
    },
    end: () => ended.abort(),
  };
}

async function countData(disk: Disk, options: Pick<ReadOptions, "segments" | "signal">): Promise<number> {
  const pool = createBufferPool([Buffer.allocUnsafeSlow(CHUNK_SIZE)]);
  let bytes = 0;
  for await (const { buffer, runs } of readChunks(disk, pool, { ...options, onRead: () => {} })) {
    bytes += lengthOf(runs);
    pool.give(buffer);
  }
  return bytes;
}
