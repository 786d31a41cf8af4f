import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { dataSegments, sparseMap } from "../../../../components/image/disk/data-segments";
import { requireOnPath } from "../../../../components/process/find-program";

const MIB = 1024 * 1024;
let directory: string;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "segments-"));
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

function sparse(name: string, size: number, places: readonly number[]): string {
  const file = path.join(directory, name);
  fs.writeFileSync(file, "");
  fs.truncateSync(file, size);
  const descriptor = fs.openSync(file, "r+");
  for (const place of places) fs.writeSync(descriptor, Buffer.alloc(4096, 1), 0, 4096, place);
  fs.closeSync(descriptor);
  return file;
}

describe("a sparse file", () => {
  const places = [0, 5 * MIB + 512, 63 * MIB];

  it("has segments in order that hold all of its data", async () => {
    const segments = await dataSegments(sparse("disk 1.raw", 64 * MIB, places));
    for (const [index, { start }] of segments.entries())
      expect(start).toBeGreaterThanOrEqual(segments[index - 1]?.end ?? 0);
    for (const place of places)
      expect(segments.some(({ start, end }) => start <= place && place + 4096 <= end)).toBe(true);
  });

  it("is read in little more than its data, where the file system and tar tell its holes", async () => {
    const file = sparse("disk.raw", 64 * MIB, places);
    const segments = await dataSegments(file);
    const bytes = segments.reduce((sum, { start, end }) => sum + end - start, 0);
    const hasHoles = fs.statSync(file).blocks * 512 < MIB && process.platform === "linux";
    expect(bytes).toBeLessThanOrEqual(hasHoles ? MIB : 64 * MIB);
  });

  it("has them also behind a link", async () => {
    const file = sparse("target.raw", 64 * MIB, places);
    const link = path.join(directory, "link.raw");
    fs.symlinkSync(file, link);
    expect(await dataSegments(link)).toEqual(await dataSegments(file));
  });

  it.skipIf(process.platform !== "linux")("is asked of gtar where that is GNU's, as on macOS", async () => {
    const file = sparse("gtar.raw", 64 * MIB, places);
    const expected = await dataSegments(file);
    const programs = path.join(directory, "bin");
    fs.mkdirSync(programs);
    fs.symlinkSync(requireOnPath("tar"), path.join(programs, "gtar"));
    fs.writeFileSync(path.join(programs, "tar"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    vi.stubEnv("PATH", `${programs}${path.delimiter}${process.env.PATH}`);
    expect(await dataSegments(file).finally(() => vi.unstubAllEnvs())).toEqual(expected);
  });

  it("without holes is one segment", async () => {
    const file = path.join(directory, "full.raw");
    fs.writeFileSync(file, Buffer.alloc(MIB, 7));
    expect(await dataSegments(file)).toEqual([{ start: 0, end: MIB }]);
  });
});

describe("what tar prints", () => {
  it.each([
    ["nothing", Buffer.alloc(0)],
    ["an archive without a map", Buffer.alloc(4096)],
    ["text", Buffer.from("tar: cannot open".padEnd(2048))],
  ])("is no map if it is %s", (_, archive) => {
    expect(sparseMap(archive, 64 * MIB)).toBeUndefined();
  });
});
