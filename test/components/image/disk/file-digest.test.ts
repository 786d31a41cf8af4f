import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CHUNK_SIZE, createContentHash } from "../../../../components/image/disk/content-hash";
import { dataRuns } from "../../../../components/image/disk/data-ranges";
import { fileDigest } from "../../../../components/image/disk/file-digest";

let directory: string;
let memory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "file-digest-"));
  memory = path.join(directory, ".cache", "digests.json");
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function file(name: string, ...parts: [offset: number, content: string][]): string {
  const location = path.join(directory, name);
  const descriptor = fs.openSync(location, "w");
  for (const [offset, content] of parts) fs.writeSync(descriptor, content, offset);
  fs.closeSync(descriptor);
  return location;
}

describe("fileDigest", () => {
  it("is the content hash of the file, zeros added or not", () => {
    const location = file("disk.vhd", [0, "first"], [3 * CHUNK_SIZE, "last"]);
    const hash = createContentHash(3 * CHUNK_SIZE + 4);
    const [first, last] = [Buffer.concat([Buffer.from("first"), Buffer.alloc(CHUNK_SIZE - 5)]), Buffer.from("last")];
    hash.add(0, first, dataRuns(first));
    hash.add(1, Buffer.alloc(CHUNK_SIZE), []);
    hash.add(3, last, dataRuns(last));
    expect(() => hash.add(2, first, dataRuns(first))).toThrow("add chunks in order");
    expect(fileDigest(location, memory)).toBe(hash.digest());
  });

  it("tells contents apart by size and place", () => {
    const digests = [
      file("a", [0, "x"], [CHUNK_SIZE, "\0"]),
      file("b", [0, "x"], [CHUNK_SIZE, "\0\0"]),
      file("c", [CHUNK_SIZE, "x"]),
    ].map((location) => fileDigest(location, memory));
    expect(new Set(digests).size).toBe(3);
  });

  it("is the same for holes and for zeros that were written", () => {
    const sparse = file("sparse", [100_000, "x"], [5 * CHUNK_SIZE + 4096, "y"], [9 * CHUNK_SIZE, "z"]);
    fs.writeFileSync(path.join(directory, "dense"), fs.readFileSync(sparse));
    expect(fileDigest(sparse, memory)).toBe(fileDigest(path.join(directory, "dense"), memory));
  });

  it("does not read holes: a disk of a TiB takes the time of its data", () => {
    const location = file("disk.vhd", [0, "first"], [2 ** 39, "middle"]);
    fs.truncateSync(location, 2 ** 40);
    expect(fileDigest(location, memory)).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is remembered until the file changes", () => {
    const location = file("disk.vhd", [0, "first"]);
    const before = fileDigest(location, memory);
    const remembered = JSON.parse(fs.readFileSync(memory, "utf8"));
    fs.writeFileSync(memory, JSON.stringify({ [location]: { ...remembered[location], digest: "remembered" } }));
    expect(fileDigest(location, memory)).toBe("remembered");
    file("disk.vhd", [0, "other"]);
    expect(fileDigest(location, memory)).not.toBe(before);
  });

  it("reads the file where the memory is damaged, and says which file is missing", () => {
    const location = file("disk.vhd", [0, "first"]);
    const before = fileDigest(location, memory);
    fs.writeFileSync(memory, "{");
    expect(fileDigest(location, memory)).toBe(before);
    expect(() => fileDigest(path.join(directory, "none.vhd"), memory)).toThrow("none.vhd");
  });
});
