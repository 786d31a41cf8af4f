import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";

const PROGRAMS = ["blkid", "blockdev", "e2fsck", "losetup", "mkfs.ext4", "mount", "resize2fs", "dumpe2fs", "unshare"];
const MIB = 2 ** 20;

/** Why no disk can be made of a file here. */
function whyNot(): string | undefined {
  const missing = PROGRAMS.filter((program) => !findOnPath(program));
  if (missing.length > 0) return `needs ${missing.join(", ")}`;
  if (process.getuid?.() !== 0) return "needs root";
  const { status } = spawnSync("unshare", ["--mount", "sh", "-c", "losetup --find && mount -t tmpfs none /mnt"]);
  return status === 0 ? undefined : "needs loop devices and mounts";
}

/** An MBR with one Linux partition. */
function partitionTable(): string {
  const entry = [0, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0];
  return Buffer.from([...new Array(446).fill(0), ...entry, ...new Array(48).fill(0), 0x55, 0xaa]).toString("latin1");
}

const why = whyNot();

describe.skipIf(why !== undefined)(`the data disk${why ? ` (skipped: ${why})` : ""}`, () => {
  let folder: string;
  let image: string;
  let device: string;
  const losetup = (...args: string[]) => spawnSync("losetup", args).stdout.toString().trim();
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "data-disk-"));
    image = path.join(folder, "disk");
    fs.writeFileSync(image, "");
    fs.truncateSync(image, 64 * MIB);
    device = losetup("--find", "--show", image);
  });
  afterEach(() => {
    losetup("--detach", device);
    fs.rmSync(folder, { recursive: true });
  });

  /** As the machine does, in mounts of its own; then what a shell says there. */
  async function use(then = "true", before = "true") {
    const script = path.resolve("nix/scripts/mount-data-disk.sh");
    const kept = path.join(folder, "lib", "tor");
    const bash = "bash -o errexit -o nounset -o pipefail";
    const command = `${before}; ${bash} ${script} ${device} ${folder}/data ${kept} && { cd ${folder}; ${then}; }`;
    const argv = ["--mount", "--propagation", "private", "bash", "-c", command];
    const { code, stdout, stderr } = await runChild("unshare", argv, { deadlineMs: 60_000 });
    return { code, stdout: stdout.toString("utf8"), stderr };
  }
  const line = (what: string) => `<2>sealed-onion: the data disk is not used: ${what}\n`;
  const write = (offset: number, text: string) => {
    const file = fs.openSync(image, "r+");
    fs.writeSync(file, Buffer.from(text, "latin1"), 0, text.length, offset);
    fs.closeSync(file);
    losetup("--detach", device);
    device = losetup("--find", "--show", image);
  };
  const digest = () => spawnSync("sha256sum", [image]).stdout.toString();

  it("is formatted when it is new, and keeps what is kept on it", async () => {
    const first = await use("echo guards >lib/tor/state; stat -c %a lib/tor");
    expect(first).toEqual({
      code: 0,
      stdout: "700\n",
      stderr: "<5>sealed-onion: the data disk was new: it is formatted\n",
    });
    expect(fs.existsSync(path.join(folder, "lib/tor/state"))).toBe(false); // on the disk alone
    const next = await use("cat lib/tor/state");
    expect(next).toMatchObject({ code: 0, stdout: "guards\n" });
    expect(next.stderr).not.toContain("formatted");
  });

  it("is used as it is where the unit runs again", async () => {
    const again = `bash ${path.resolve("nix/scripts/mount-data-disk.sh")} ${device} ${folder}/data ${folder}/lib/tor`;
    const { code, stdout } = await use(`${again}; mount | grep -c ${folder}/lib/tor`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "1\n" });
  });

  it("grows with its disk", async () => {
    await use("echo guards >lib/tor/state");
    fs.truncateSync(image, 128 * MIB);
    losetup("--set-capacity", device);
    const { code, stdout } = await use("df --output=size -B1M data | tail -n 1; cat lib/tor/state");
    const [size, state] = stdout.trim().split("\n");
    expect({ code, state }).toEqual({ code: 0, state: "guards" });
    expect(Number(size)).toBeGreaterThan(100);
  });

  it.each<[string, () => void, RegExp | string]>([
    [
      "another file system",
      () => spawnSync("mkfs.ext4", ["-q", "-F", "-L", "photos", device]),
      line(
        "its file system is called 'photos', not 'sealed-onion': it belongs to something else, and is left as it is",
      ),
    ],
    [
      "a partition table",
      () => write(0, partitionTable()),
      line("it holds dos, which is left as it is: attach an empty disk"),
    ],
    [
      "something at its beginning",
      () => write(4096, "somebody's data"),
      line("it is not empty and holds no file system, so it is left as it is: attach an empty disk"),
    ],
    [
      "something at its end",
      () => write(64 * MIB - 8192, "somebody's data"),
      line("it is not empty and holds no file system, so it is left as it is: attach an empty disk"),
    ],
  ])("is left as it is where it holds %s", async (_, prepare, message) => {
    prepare();
    const before = digest();
    const { code, stderr } = await use();
    expect({ code, stderr }).toEqual({ code: 1, stderr: message });
    expect(digest()).toBe(before);
  });

  it("is formatted once more where a power cut came in between, and only then", async () => {
    write(63 * MIB, "sealed-onion: being formatted");
    write(MIB, "half a file system");
    expect(await use("echo guards >lib/tor/state")).toMatchObject({ code: 0 });
    write(63 * MIB, "sealed-onion: being formatted");
    expect(await use("cat lib/tor/state")).toMatchObject({ code: 0, stdout: "guards\n" });
  });
});
