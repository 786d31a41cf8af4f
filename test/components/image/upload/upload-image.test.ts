import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fixedVhdFooter } from "../../../../components/image/disk/vhd-footer";
import { requireOnPath } from "../../../../components/process/find-program";
import { type BlobStore, download, startBlobStore } from "./blob-store";
import { type CommandResult, runCommand } from "./run-command";
import { MIB, noise, rawDisk, type TestDisk, vhd, writeSparse } from "./test-disks";

let store: BlobStore;
let folder: string;
let name: string;
let blobs = 0;

beforeAll(async () => {
  store = await startBlobStore();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "upload-image-"));
});
afterAll(async () => {
  fs.rmSync(folder, { recursive: true });
  await store.close();
});
beforeEach(() => {
  blobs += 1;
  name = `dev-${blobs}.vhd`;
});

const disk: TestDisk = {
  mebibytes: 40,
  runs: [
    [2 * MIB + 512, 700_000 - (700_000 % 512)],
    [7 * MIB, 6 * MIB],
    [20 * MIB, 512],
    [20 * MIB + 2048, 512],
    [39 * MIB, MIB / 2],
  ],
};
const blob = () => store.container.getPageBlobClient(name);
const write = (file: string, content: Buffer): string => {
  fs.writeFileSync(path.join(folder, file), content);
  return file;
};
const upload = (file: string, environment: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  runCommand("upload-image", folder, {
    ...store.environment(),
    VHD: file,
    BLOB_URL: `${store.containerUrl}/${name}`,
    DIGEST: "d1",
    ...environment,
  });
const hasTool = (tool: string): boolean => {
  try {
    requireOnPath(tool);
    return true;
  } catch {
    return false;
  }
};

describe("a fixed VHD", () => {
  it("is uploaded byte for byte, its data only, and marked as complete", async () => {
    const content = vhd(disk);
    const before = store.storedBytes();
    const { code, stderr, stdout } = await upload(write("disk.vhd", content));
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^uploaded 'dev-1\.vhd': 7\.\d MiB sent/),
    });
    expect(JSON.parse(stdout)).toEqual({
      blobUrl: `${store.containerUrl}/${name}`,
      size: content.length,
      completedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect((await download(blob())).equals(content)).toBe(true);
    const { metadata, leaseState } = await blob().getProperties();
    expect(metadata).toEqual({
      digest: "d1",
      complete: "true",
      completedat: JSON.parse(stdout).completedAt,
      contenthash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(leaseState).toBe("available");
    expect(store.storedBytes() - before).toBeLessThan(7.3 * MIB);
  });

  it("gives the same blob whether its zeros are holes or written, and leaves a complete blob alone", async () => {
    const content = vhd(disk);
    writeSparse(path.join(folder, "sparse.vhd"), content);
    await upload("sparse.vhd");
    const first = await blob().getProperties();
    const { code, stderr } = await upload(write("written.vhd", content));
    expect(code).toBe(0);
    expect(stderr).toContain("is there already: nothing was sent");
    expect((await blob().getProperties()).etag).toBe(first.etag);
    expect((await download(blob())).equals(content)).toBe(true);
  });

  it("never replaces a complete blob with another content", async () => {
    const content = vhd(disk);
    await upload(write("disk.vhd", content));
    const { code, stderr } = await upload(write("other.vhd", vhd({ ...disk, seed: "other" })));
    expect(code).toBe(1);
    expect(stderr).toMatch(/'images\/dev-\d+\.vhd' is complete and holds another content \(\w+\) than 'other\.vhd'/);
    expect((await download(blob())).equals(content)).toBe(true);
  });

  it("that was found complete by the build needs no disk", async () => {
    const content = vhd(disk);
    await upload(write("disk.vhd", content));
    const { code, stdout } = await upload('{"vhd":null,"digest":"d1"}');
    expect({ code, size: JSON.parse(stdout).size }).toEqual({ code: 0, size: content.length });
    expect((await upload("gone.vhd")).stdout).toBe(stdout); // also the time of its completion
    expect((await upload("gone.vhd")).code).toBe(0);
  });
});

describe("a raw disk", () => {
  it("gets a footer, and is padded to a whole MiB", async () => {
    const raw = Buffer.concat([rawDisk({ ...disk, mebibytes: 39, runs: disk.runs.slice(0, 4) }), noise("pad", 512)]);
    const { code } = await upload(write("disk.raw", raw));
    expect(code).toBe(0);
    const content = await download(blob());
    expect(content.length).toBe(40 * MIB + 512);
    expect(content.subarray(0, raw.length).equals(raw)).toBe(true);
    expect(content.subarray(raw.length, 40 * MIB).equals(Buffer.alloc(MIB - 512))).toBe(true);
    expect(content.subarray(40 * MIB).equals(fixedVhdFooter(40 * MIB, content.subarray(40 * MIB + 68)))).toBe(true);
  });

  it.skipIf(!hasTool("qemu-img"))("is a VHD that qemu-img can read (skipped: needs qemu-img on PATH)", async () => {
    const raw = rawDisk(disk);
    await upload(write("disk.raw", raw));
    write("back.vhd", await download(blob()));
    execFileSync("qemu-img", ["convert", "-f", "vpc", "-O", "raw", "back.vhd", "back.raw"], { cwd: folder });
    expect(fs.readFileSync(path.join(folder, "back.raw")).equals(raw)).toBe(true);
  });
});

describe("what Azure could not boot is refused before anything is sent:", () => {
  const damaged = (change: (content: Buffer) => Buffer | undefined): Buffer => {
    const content = vhd({ mebibytes: 4, runs: [] });
    return change(content) ?? content;
  };
  const footerAt = 4 * MIB;
  const tarHeader = (): Buffer => {
    const header = Buffer.alloc(512);
    header.write("ustar", 257);
    return header;
  };
  it.each([
    ["no disk at all", () => noise("x", 4096), "is no disk: give a fixed VHD, a raw disk, or a VHD compressed by zstd"],
    ["an empty file", () => Buffer.alloc(0), "is no disk"],
    [
      "a damaged footer",
      () => damaged((c) => void c.writeUInt8(1, footerAt + 100)),
      "has a damaged VHD footer: its checksum is 0x",
    ],
    [
      "a footer of another size",
      () => damaged((c) => c.subarray(MIB)),
      "has 3145728 bytes before its footer, which says 4194304",
    ],
    [
      "half a MiB",
      () => Buffer.concat([damaged(() => undefined).subarray(0, MIB / 2), fixedVhdFooter(MIB / 2, Buffer.alloc(16))]),
      "has a disk of 524288 bytes, Azure takes whole MiB: the next is 1048576 bytes",
    ],
    [
      "a damaged GPT",
      () => damaged((c) => void c.writeUInt8(1, 600)),
      "has a damaged GPT: the checksum of its header is wrong",
    ],
    [
      "no EFI partition",
      () => vhd({ mebibytes: 4, runs: [], type: "linux" }),
      "a generation 2 image boots by UEFI from an EFI system partition",
    ],
    [
      "a qcow2",
      () => Buffer.concat([Buffer.from("QFI\xfb", "latin1"), Buffer.alloc(1000)]),
      "qemu-img convert -f qcow2 -O raw",
    ],
    ["a raw disk that was cut", () => rawDisk(disk).subarray(0, 39 * MIB), "needs 41943040 bytes, it has 40894464"],
    ["a VHD that was cut", () => vhd(disk).subarray(0, 30 * MIB + 4096), "is cut: its partition table needs 41943040"],
    [
      "a VHD of full size whose copy was interrupted",
      () => damaged((c) => void c.fill(0, 3 * MIB, footerAt)),
      "was not written to its end: its GPT has no backup at byte 4193792",
    ],
    ["a zip", () => Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(1000)]), "type `unzip bad.vhd`"],
    ["a tar", () => damaged((c) => Buffer.concat([tarHeader(), c.subarray(0, MIB)])), "tar --extract --file bad.vhd"],
    [
      "a differencing VHD",
      () => damaged((c) => void c.writeUInt32BE(4, footerAt + 60)),
      "Convert-VHD -Path bad.vhd -DestinationPath whole.vhd -VHDType Fixed",
    ],
    ["a VHDX", () => Buffer.concat([Buffer.from("vhdxfile"), Buffer.alloc(1000)]), "qemu-img convert -f vhdx -O raw"],
  ])("%s", async (_what, make, message) => {
    const { code, stderr } = await upload(write("bad.vhd", make()));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    expect(await blob().exists()).toBe(false);
  });

  it.each([
    [
      "none",
      () => {},
      "cannot read the disk 'odd': there is no such file: build or copy it, or type `pulumi config set",
    ],
    [
      "a folder with a disk",
      (odd: string) => {
        fs.mkdirSync(odd);
        fs.writeFileSync(path.join(odd, "nixos.vhd"), "");
      },
      "the disk 'odd' is a folder: type `pulumi config set --path sealed-onion:image.vhd odd/nixos.vhd`",
    ],
    [
      "a pipe",
      (odd: string) => void execFileSync("mkfifo", [odd]),
      "the disk 'odd' is a pipe, no file: type `dd if=odd of=disk.raw bs=4M` and set image.vhd to 'disk.raw'",
    ],
  ])("no file: %s", async (_what, make, message) => {
    const odd = path.join(folder, "odd");
    fs.rmSync(odd, { recursive: true, force: true });
    make(odd);
    const { code, stderr } = await upload('{"vhd":"odd"}', { BUILDER: "vhd:odd", STACK: "dev", FACTS: "{}" });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });

  it.each([
    ["BLOB_URL", "", "BLOB_URL is not set"],
    ["DIGEST", "", "DIGEST is not set"],
    ["BLOB_URL", "here?sig=secret", `BLOB_URL must be a URL of blob storage, got "here"`],
  ])("a call with %s=%s", async (variable, value, message) => {
    const { code, stderr } = await upload("disk.vhd", { [variable]: value });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
});
