import { createHash } from "node:crypto";
import type { Progress } from "../../process/progress";
import { createBlockRecorder, findCopies, without } from "../disk/block-index";
import { CHUNK_SIZE, createContentHash } from "../disk/content-hash";
import { loadCrc64 } from "../disk/crc64";
import { createRangePlanner, lengthOf, type Range } from "../disk/data-ranges";
import { createBufferPool } from "./buffer-pool";
import { createCopier } from "./copier";
import type { Disk } from "./disk";
import { type Chunk, type Reading, readChunks } from "./disk-source";
import { createEstimate } from "./estimate";
import type { ImageBlob } from "./image-blob";
import type { Lease } from "./lease";
import { createLimit } from "./limit";
import { createLine } from "./line";
import type { EarlierImage } from "./neighbours";
import { createPace, LARGE_REQUESTS, REQUESTS } from "./pace";
import { createWrittenRanges } from "./written-ranges";

/** Chunks in memory at once, 4 MiB each: those that are sent, one that waits for its turn, one that is read meanwhile. */
const BUFFERS = LARGE_REQUESTS + 2;

export interface TransferResult {
  /** `createContentHash()` of the disk. */
  readonly contentHash: string;
  /** Bytes that were sent; what failed and was sent again counts once. */
  readonly sent: number;
  /** Bytes that the blob held already, verified by their MD5. */
  readonly kept: number;
  /** Bytes that Azure copied from an earlier image. */
  readonly copied: number;
  /** Bytes of zeros that needed no sending. */
  readonly skipped: number;
  /** Requests that carried data. */
  readonly requests: number;
  /** How long it took: nothing that was waited for before is in it. */
  readonly seconds: number;
  /** The disk's block hashes, encoded; only where an earlier image was looked for. */
  readonly blocks: Buffer | undefined;
}

export interface TransferOptions {
  readonly blob: ImageBlob;
  readonly disk: Disk;
  readonly lease: Lease;
  /** Ends all requests of the upload: one of them has failed for good. */
  readonly stop: (reason: unknown) => void;
  /** What the blob holds already. */
  readonly written: readonly Range[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** `dataSegments()` of the disk, where they have been looked for already. */
  readonly segments?: Promise<readonly Range[]> | undefined;
  /** Whether block hashes are taken, for the next image. */
  readonly recordsBlocks: boolean;
  /** An image that has parts of this one. */
  readonly earlier: EarlierImage | undefined;
}

/** For requests without content: the line's pace is not theirs. */
const hasRoomForSmall = (running: number): boolean => running < REQUESTS;

/** A part of a chunk that is to be in the blob, and where an earlier image has it. */
interface Piece extends Range {
  readonly source?: number;
}

/**
 * Makes the blob equal to the disk: sends the ranges with data, leaves those that are there and have the same MD5, and
 * clears those where the disk has zeros. So it does not matter who wrote to an incomplete blob before, or what.
 */
export async function transfer(options: TransferOptions): Promise<TransferResult> {
  const { blob, disk, earlier, lease, progress, segments, signal, stop, written } = options;
  const start = Date.now();
  const crc64 = await loadCrc64();
  const pace = createPace();
  const line = createLine();
  const hasRoom = (running: number): boolean => pace.hasRoom(running, line.flying());
  const estimate = createEstimate(disk, { segments, signal });
  const pool = createBufferPool(Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(CHUNK_SIZE)));
  const limit = createLimit(stop);
  const there = createWrittenRanges(written);
  const plan = createRangePlanner();
  const hash = createContentHash(disk.size);
  const recorder = options.recordsBlocks ? createBlockRecorder() : undefined;
  const copy = earlier && createCopier({ blob, earlier, lease, progress, signal });
  const total = { sent: 0, kept: 0, copied: 0, requests: 0 };
  let sentAt = start;
  let position = 0;
  /** Bytes of the ranges of all chunks that the reader has left behind. */
  let planned = 0;
  let reading: Reading = { position: 0, data: disk.size, left: disk.size };

  const clear = async (start: number, end: number): Promise<void> => {
    for (const range of there.between(start, end)) {
      await limit.start(hasRoomForSmall, () => lease.hold(() => blob.clear(range, lease.id)));
    }
  };
  const send = async (range: Range, bytes: Buffer, source: number | undefined, check?: Buffer): Promise<void> => {
    if (there.cover(range) && (await blob.md5(range)).equals(createHash("md5").update(bytes).digest())) {
      total.kept += bytes.length;
      return;
    }
    if (copy && source !== undefined && (await copy(range, source, bytes))) {
      total.copied += bytes.length;
      return;
    }
    const started = Date.now();
    const answered = line.send(bytes.length, started);
    await lease.hold(() => blob.put(range, bytes, check ?? crc64(bytes), lease.id));
    sentAt = Date.now();
    answered(sentAt);
    pace.done(bytes.length, sentAt - started, sentAt);
    total.sent += bytes.length;
    total.requests += 1;
  };
  const pieces = ({ bytes, index, runs }: Chunk): Piece[] => {
    const blocks = recorder?.add(index, bytes, runs);
    if (!blocks || !earlier) return plan(runs);
    const copies = findCopies(blocks, earlier.index);
    return [...plan(without(runs, copies)), ...copies].sort((left, right) => left.start - right.start);
  };
  const sendChunk = async (chunk: Chunk): Promise<void> => {
    const base = chunk.index * CHUNK_SIZE;
    const ranges = pieces(chunk);
    let left = 1;
    const release = (): void => {
      left -= 1;
      if (left === 0) pool.give(chunk.buffer);
    };
    for (const { end, source, start } of ranges) {
      await clear(position, base + start);
      position = Math.max(position, base + end);
      for (let next = start, from = start; from < end; from = next) {
        const edge = there.edge(base + from) - base; // what is there is kept to the last byte
        next = source === undefined ? Math.min(end, from + pace.size(), edge) : end; // a copy sends nothing
        const [place, bytes] = [{ start: base + from, end: base + next }, chunk.bytes.subarray(from, next)];
        const isSent = source === undefined && !there.cover(place);
        const check = isSent ? crc64(bytes) : undefined; // before its turn: the line does not wait for it
        left += 1;
        await limit.start(isSent ? hasRoom : hasRoomForSmall, () => send(place, bytes, source, check).finally(release));
      }
    }
    release();
    const toSend = ranges.filter(
      ({ end, source, start }) => source === undefined && !there.cover({ start: base + start, end: base + end }),
    );
    estimate.add(chunk.runs, lengthOf(toSend));
    planned += lengthOf(ranges);
  };

  const onRead = (now: Reading): void => {
    reading = now;
  };
  const unfollow = progress.follow(() => {
    const { sent } = total;
    const kept = total.kept + total.copied;
    const onTheWay = planned - sent - kept;
    const toSend = estimate.left(reading, sent);
    const left = reading.left + onTheWay;
    const skipped = reading.position - planned;
    return { data: reading.data, left, sent, sentAt, toSend, kept, skipped, line: line.look(Date.now()) };
  });
  try {
    for await (const chunk of readChunks(disk, pool, { onRead, segments, signal })) {
      hash.add(chunk.index, chunk.bytes, chunk.runs); // before the buffer may be used again
      await sendChunk(chunk);
    }
    await clear(position, disk.size);
    await limit.idle();
  } catch (error) {
    stop(error); // also where the disk could not be read
    await limit.settled();
    throw error;
  } finally {
    unfollow();
    estimate.end();
  }
  const seconds = (Date.now() - start) / 1000;
  return {
    contentHash: hash.digest(),
    ...total,
    skipped: disk.size - total.sent - total.kept - total.copied,
    seconds,
    blocks: recorder?.encode(),
  };
}
