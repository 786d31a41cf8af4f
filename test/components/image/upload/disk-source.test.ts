import { describe, expect, it } from "vitest";
import { CHUNK_SIZE } from "../../../../components/image/disk/content-hash";
import { piecesOfChunks } from "../../../../components/image/disk/data-segments";

describe("the pieces of a disk's chunks", () => {
  it("are those of its segments, chunk by chunk; the last chunk always comes", () => {
    const segments = [
      { start: 0, end: 512 },
      { start: 1024, end: CHUNK_SIZE + 512 },
      { start: 5 * CHUNK_SIZE + 512, end: 5 * CHUNK_SIZE + 1024 },
    ];
    expect([...piecesOfChunks(segments, 9 * CHUNK_SIZE + 512)]).toEqual([
      {
        index: 0,
        pieces: [
          { start: 0, end: 512 },
          { start: 1024, end: CHUNK_SIZE },
        ],
      },
      { index: 1, pieces: [{ start: 0, end: 512 }] },
      { index: 5, pieces: [{ start: 512, end: 1024 }] },
      { index: 9, pieces: [] },
    ]);
    expect([...piecesOfChunks([], 512)]).toEqual([{ index: 0, pieces: [] }]);
    expect([...piecesOfChunks([{ start: 0, end: CHUNK_SIZE + 512 }], CHUNK_SIZE + 512)]).toHaveLength(2);
  });

  it("are made one by one, however large the disk is", () => {
    const exbibyte = 2 ** 52; // all of its pieces would fit into no memory
    const pieces = piecesOfChunks([{ start: 0, end: exbibyte }], exbibyte + 512);
    expect(pieces.next().value).toEqual({ index: 0, pieces: [{ start: 0, end: CHUNK_SIZE }] });
    expect(pieces.next().value).toEqual({ index: 1, pieces: [{ start: 0, end: CHUNK_SIZE }] });
  });
});
