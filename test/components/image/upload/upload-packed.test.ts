import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { requireOnPath } from "../../../../components/process/find-program";
import { type BlobStore, download, startBlobStore } from "./blob-store";
import { type CommandResult, runCommand } from "./run-command";
import { MIB, type TestDisk, vhd } from "./test-disks";

const hasZstd = ((): boolean => {
  try {
    return requireOnPath("zstd") !== "";
  } catch {
    return false;
  }
})();

const disk: TestDisk = {
  mebibytes: 12,
  runs: [
    [2 * MIB + 512, MIB],
    [6 * MIB, 512],
    [11 * MIB, MIB / 2],
  ],
};
const content = vhd(disk);

let store: BlobStore;
let folder: string;
let blobs = 0;

beforeAll(async () => {
  store = await startBlobStore();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "upload-packed-"));
});
afterAll(async () => {
  fs.rmSync(folder, { recursive: true });
  await store.close();
});
beforeEach(() => {
  blobs += 1;
});

const blob = () => store.container.getPageBlobClient(`dev-${blobs}.vhd`);
/** By a pipe the header does not tell the size. */
const pack = (bytes: Buffer, isPiped = false): Buffer => {
  const size = isPiped ? [] : [`--stream-size=${bytes.length}`];
  return execFileSync("zstd", ["-q", "-c", "-1", ...size], { input: bytes, maxBuffer: 64 * MIB });
};
/** What pzstd begins with (RFC 8878, section 3.1.2). */
const skippableFrame = Buffer.from("502a4d180400000000000000", "hex");

function upload(packed: Buffer): Promise<CommandResult> {
  fs.writeFileSync(path.join(folder, "disk.vhd.zst"), packed);
  return runCommand("upload-image", folder, {
    ...store.environment(),
    VHD: "disk.vhd.zst",
    BLOB_URL: `${store.containerUrl}/dev-${blobs}.vhd`,
    DIGEST: "d1",
  });
}

describe.skipIf(!hasZstd)("a disk packed by zstd (skipped: needs zstd on PATH)", () => {
  it("gives the same blob as the disk itself, whether its header tells the size or not", async () => {
    expect((await upload(pack(content))).code).toBe(0);
    expect((await download(blob())).equals(content)).toBe(true);
    const { code, stderr } = await upload(pack(content, true));
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("nothing was sent") });
    expect(fs.readdirSync(folder)).toEqual([".cache", "disk.vhd.zst"]);
  });

  it.each<[string, () => Buffer]>([
    ["of two frames", () => Buffer.concat([pack(content.subarray(0, 5 * MIB)), pack(content.subarray(5 * MIB))])],
    [
      "that begins with a frame to be skipped",
      () => Buffer.concat([skippableFrame, pack(content.subarray(0, 5 * MIB)), pack(content.subarray(5 * MIB), true)]),
    ],
  ])("%s is uploaded as a whole", async (_what, make) => {
    const { code, stderr } = await upload(make());
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("uploaded 'dev-") });
    expect((await download(blob())).equals(content)).toBe(true);
  });

  const damaged = Buffer.from(content);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 400) ^ 1, damaged.length - 400);
  const bare = Buffer.from(content).fill(0, content.length - 512);
  it.each<[string, Buffer, string]>([
    ["whose footer is damaged", damaged, "'disk.vhd.zst' has a damaged VHD footer: its checksum is 0x"],
    ["that has no footer", bare, "'disk.vhd.zst' has no VHD footer in its last 512 bytes"],
  ])("%s is never marked as complete", async (_what, bytes, message) => {
    const { code, stderr, stdout } = await upload(pack(bytes));
    expect({ code, stderr, stdout }).toEqual({ code: 1, stderr: expect.stringContaining(message), stdout: "" });
    const { leaseState, metadata } = await blob().getProperties();
    expect({ complete: metadata?.complete, leaseState }).toEqual({ complete: "false", leaseState: "available" });
  });

  it.each<[string, () => Buffer, string]>([
    ["whose footer is damaged, and that must be counted", () => pack(damaged, true), "has a damaged VHD footer"],
    ["without its last 512 bytes", () => pack(content.subarray(0, -512)), "unpacks to 12582912 bytes, a fixed VHD has"],
    ["that is cut", () => pack(content).subarray(0, -1000), "cannot unpack 'disk.vhd.zst'"],
  ])("%s is refused before anything is sent", async (_what, make, message) => {
    const { code, stderr } = await upload(make());
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    expect(await blob().exists()).toBe(false);
  });
});
