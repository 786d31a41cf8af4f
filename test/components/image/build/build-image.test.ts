import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fileStamp } from "../../../../components/image/disk/file-digest";
import { findOnPath } from "../../../../components/process/find-program";
import { stackLine } from "../made-for-line";
import { type BlobStore, startBlobStore } from "../upload/blob-store";
import { type CommandResult, runCommand } from "../upload/run-command";
import { MIB, rawDisk, vhd } from "../upload/test-disks";

let store: BlobStore;
let folder: string;
let bin: string;
let blobs = 0;

beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.close());
beforeEach(() => {
  blobs += 1;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "build-image-"));
  bin = path.join(folder, "bin");
  fs.mkdirSync(bin);
  fs.writeFileSync(path.join(folder, "disk.vhd"), vhd({ mebibytes: 4, runs: [] }));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const build = (environment: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  runCommand("build-image", folder, {
    ...store.environment(),
    PATH: `${bin}${path.delimiter}${process.env.PATH}`,
    STACK: "dev",
    FACTS: '{\n  "version": 1\n}\n',
    NIX_DIGEST: "n1",
    SEALED: "{}",
    BUILDER: "vhd:disk.vhd",
    BLOB_URL: `${store.containerUrl}/dev-${blobs}.vhd`,
    DIGEST: "d1",
    ...environment,
  });
/** A program on PATH that stands for a real one. */
const program = (name: string, script: string): void => {
  fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
};
const makeBlob = (metadata: Record<string, string>) =>
  store.container.getPageBlobClient(`dev-${blobs}.vhd`).create(512, { metadata });
/** What the build prints of a disk that is there. */
const built = (vhd = "disk.vhd", digest = "d1") => ({ vhd, stamp: fileStamp(path.join(folder, vhd)), digest });
const facts = () => fs.readFileSync(path.join(folder, "nix/stacks/dev/facts.json"), "utf8");

describe("facts.json", () => {
  it("is written whole, and an equal one is left alone", async () => {
    expect((await build()).code).toBe(0);
    expect(facts()).toBe('{\n  "version": 1\n}\n');
    const before = fs.statSync(path.join(folder, "nix/stacks/dev/facts.json"), { bigint: true });
    await build();
    expect(fs.statSync(path.join(folder, "nix/stacks/dev/facts.json"), { bigint: true }).mtimeNs).toBe(before.mtimeNs);
    await build({ FACTS: "{}\n" });
    expect(facts()).toBe("{}\n");
    expect(fs.readdirSync(path.join(folder, "nix/stacks/dev"))).toEqual(["facts.json"]);
  });

  it("is written also where nothing has to be built", async () => {
    await makeBlob({ complete: "true", digest: "d1" });
    const { code, stdout } = await build({ BUILDER: '["false"]' });
    expect({ code, result: JSON.parse(stdout) }).toEqual({ code: 0, result: { vhd: null, stamp: null, digest: "d1" } });
    expect(facts()).toContain("version");
  });
});

describe("nothing is built where the blob is complete already,", () => {
  it.each([
    ["but is where it is incomplete", { complete: "false", digest: "d1" }],
    ["but is where it has another digest", { complete: "true", digest: "d2" }],
  ])("%s", async (_what, metadata) => {
    await makeBlob(metadata);
    expect(JSON.parse((await build()).stdout)).toEqual(built());
  });
});

describe("image.vhd, held against what is declared,", () => {
  const facts = '{\n  "version": 1\n}\n';
  const sealed = { token: "a".repeat(64) };
  /** A disk as the guest's image is, with its mark somewhere in the file system. */
  function disk(mark: string): void {
    const content = vhd({ mebibytes: 4, runs: [[2 * MIB, 8192]] });
    content.write(mark, 3 * MIB + 4096);
    fs.writeFileSync(path.join(folder, "disk.vhd"), content);
  }
  const SEALED = JSON.stringify(sealed);

  it("is taken where it was made for just that", async () => {
    disk(stackLine("dev", facts, sealed));
    const { code, stderr, stdout } = await build({ SEALED });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(built());
  });

  it.each([
    ["a secret", stackLine("dev", facts, { token: "b".repeat(64) }), "an older secret token"],
    ["the facts", stackLine("dev", "{}", sealed), "other facts (services, secrets' places, addresses)"],
    ["the stack", stackLine("prod", facts, sealed), "it is one of stack prod"],
    ["the site", stackLine("dev", facts, sealed, { site: "0".repeat(16) }), "another nix/site"],
  ])("is refused where %s changed since, and the facts to build it again are there", async (_, mark, what) => {
    disk(mark);
    await makeBlob({ complete: "true", digest: "d1", contenthash: "d1" }); // uploaded long ago
    const run = await build({ SEALED });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(
      `build: the disk 'disk.vhd' is older than what is declared: ${what}: the machine stays as it is; nix build `,
    );
    expect(run.stderr).toContain("#packages.x86_64-linux.image-dev' where it was built, with nix/stacks/dev of now");
    expect(fs.readFileSync(path.join(folder, "nix/stacks/dev/facts.json"), "utf8")).toBe(facts);
    disk(stackLine("dev", facts, sealed)); // the remedy
    expect((await build({ SEALED })).code).toBe(0);
  });

  it.skipIf(!findOnPath("zstd"))("is read in a packed one, too, once (skipped without zstd)", async () => {
    disk(stackLine("dev", facts, { token: "b".repeat(64) }));
    execFileSync("zstd", ["--quiet", "--rm", path.join(folder, "disk.vhd")]);
    const packed = { SEALED, BUILDER: "vhd:disk.vhd.zst" };
    expect((await build(packed)).stderr).toContain("an older secret token");
    const memory = fs.readFileSync(path.join(folder, ".cache/file-digests.json"), "utf8");
    expect(JSON.parse(memory)[fs.realpathSync(path.join(folder, "disk.vhd.zst"))]).toMatchObject({ unpacked: true });
    expect((await build(packed)).stderr).toContain("an older secret token");
  });

  it("is taken as it is where it does not say", async () => {
    expect(await build({ SEALED })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("does not say what it was made for"),
    });
  });
});

describe("image.vhd, where machines take their systems in place,", () => {
  const facts = '{\n  "version": 1\n}\n';
  const trust = { clientId: "c1", containerUrl: "https://one.blob.core.windows.net/systems", publicKey: "k:1" };
  const inPlace = { FACTS: "", SEALED: "", TRUST: JSON.stringify(trust) };
  beforeEach(() => {
    fs.mkdirSync(path.join(folder, "nix/stacks/dev"), { recursive: true });
    fs.writeFileSync(path.join(folder, "nix/stacks/dev/facts.json"), facts);
  });
  const disk = (mark: string) => {
    const content = vhd({ mebibytes: 4, runs: [[2 * MIB, 8192]] });
    content.write(mark, 3 * MIB + 4096);
    fs.writeFileSync(path.join(folder, "disk.vhd"), content);
  };

  it("is taken where a machine of it would take them, however old it is, and where it does not say", async () => {
    disk(stackLine("dev", "{}", { token: "b".repeat(64) }, undefined, trust));
    expect(await build(inPlace)).toMatchObject({ code: 0, stderr: "" });
    disk("");
    expect((await build(inPlace)).stderr).toContain("does not say what it was made for");
  });

  it.each([
    ["takes none", stackLine("dev", facts, {}), "it takes no systems in place"],
    ["is another stack's", stackLine("prod", facts, {}, undefined, trust), "it is one of stack prod"],
    [
      "knows another key",
      stackLine("dev", facts, {}, undefined, { ...trust, publicKey: "k:2" }),
      "it believes another signing key",
    ],
    [
      "looks elsewhere, as somebody else",
      stackLine("dev", facts, {}, undefined, { ...trust, clientId: "c2", containerUrl: "https://two.example/systems" }),
      "it acts as another identity, it looks for systems in another account",
    ],
  ])("is refused where a machine of it %s, and another disk is taken", async (_, mark, what) => {
    disk(mark);
    const { code, stderr } = await build(inPlace);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `build: a machine of the disk 'disk.vhd' would take no system of stack dev, ${what}: nix build `,
    );
    expect(stderr.trim()).toMatch(/then put it there and type pulumi up, or set sealed-onion:update to replace$/);
    disk(stackLine("dev", facts, {}, undefined, trust)); // the remedy
    expect(await build(inPlace)).toMatchObject({ code: 0, stderr: "" });
  });

  it("is not looked for where the image is there: the first one was made elsewhere, or long ago", async () => {
    fs.rmSync(path.join(folder, "disk.vhd"));
    await makeBlob({ complete: "true", digest: "d1", contenthash: "other" });
    expect(JSON.parse((await build(inPlace)).stdout)).toEqual({ vhd: null, stamp: null, digest: "d1" });
  });
});

describe("image.vhd", () => {
  it("is not taken as uploaded because a complete blob has its name", async () => {
    fs.writeFileSync(path.join(folder, "disk.raw"), rawDisk({ mebibytes: 4, runs: [] }));
    await makeBlob({ complete: "true", digest: "d1", contenthash: "d2" });
    expect(JSON.parse((await build({ BUILDER: "vhd:disk.raw" })).stdout).vhd).toBe("disk.raw");
    await makeBlob({ complete: "true", digest: "d1", contenthash: "d1" });
    expect(JSON.parse((await build({ BUILDER: "vhd:disk.raw" })).stdout).vhd).toBe(null);
  });

  it("may be a raw disk", async () => {
    fs.writeFileSync(path.join(folder, "disk.raw"), rawDisk({ mebibytes: 4, runs: [] }));
    expect(JSON.parse((await build({ BUILDER: "vhd:disk.raw" })).stdout).vhd).toBe("disk.raw");
  });

  it("is checked", async () => {
    fs.writeFileSync(
      path.join(folder, "disk.qcow2"),
      Buffer.concat([Buffer.from("QFI\xfb", "latin1"), Buffer.alloc(900)]),
    );
    const { code, stderr } = await build({ BUILDER: "vhd:disk.qcow2" });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "build: 'disk.qcow2' is qcow2, which Azure cannot take: type `qemu-img convert -f qcow2 -O raw disk.qcow2 " +
        "disk.raw` and set image.vhd to 'disk.raw'\n",
    });
    expect((await build({ BUILDER: "vhd:none.vhd" })).stderr).toBe(
      "build: cannot read the disk 'none.vhd': there is no such file: build or copy it, or type " +
        "`pulumi config set --path sealed-onion:image.vhd FILE`\n",
    );
  });
});

describe("image.builder", () => {
  it("gets the stack and prints its disk's path last; what it says besides is shown", async () => {
    program("make-disk", 'echo "for $STACK in $STACK_DIRECTORY" >&2; echo building; echo "$PWD/$1"');
    const { stderr, stdout } = await build({ BUILDER: '["make-disk","disk.vhd"]' });
    expect(JSON.parse(stdout)).toEqual(built());
    expect(stderr).toBe("for dev in nix/stacks/dev\n");
  });

  it.each([
    ["fails", "exit 3", "the builder 'make-disk' failed: exit code 3"],
    ["prints nothing", "true", "the builder 'make-disk' printed no path: it has to print its disk's path last"],
    ["names what is not there", "echo none", "cannot read the disk 'none': there is no such file"],
  ])("that %s is told so", async (_what, script, message) => {
    program("make-disk", script);
    const { code, stderr } = await build({ BUILDER: '["make-disk"]' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });

  it("that is no command is a wrong call", async () => {
    const absent = await build({ BUILDER: '["no-such-program"]' });
    expect(absent.stderr).toContain("the builder 'no-such-program' is not on PATH: install it");
    const { code, stderr } = await build({ BUILDER: "make" });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('BUILDER must be "nix", "vhd:PATH" or a command'),
    });
  });
});

describe("nix", () => {
  /** Stands for nix: `build` links a folder with a disk, `show-config` tells of builders and features. */
  const fakeNix = (settings: object): void =>
    program(
      "nix",
      `echo "$@" >> "${folder}/nix.log"
case "$*" in
  *show-config*) echo '${JSON.stringify(settings)}' ;;
  *) echo "building..." >&2; mkdir -p out; cp disk.vhd out/nixos.vhd; ln -sfn ../../out "$6" ;;
esac`,
    );
  const log = () => fs.readFileSync(path.join(folder, "nix.log"), "utf8");
  const withBuilder = {
    builders: { value: "ssh://builder x86_64-linux" },
    "system-features": { value: ["benchmark"] },
  };

  it("builds the stack's image as the user's Nix is set up, keeps it, and shows its progress", async () => {
    fakeNix(withBuilder);
    const { code, stderr, stdout } = await build({ BUILDER: "nix" });
    expect({ code, result: JSON.parse(stdout) }).toEqual({
      code: 0,
      result: built(".cache/images/dev-d1/nixos.vhd"),
    });
    expect(stderr).toBe("building...\n");
    expect(log()).toContain(
      "build path:./nix#packages.x86_64-linux.image-dev --out-link .cache/images/dev-d1 --print-build-logs",
    );
  });

  it("that is missing is said with the ways out", async () => {
    const { code, stderr } = await build({ BUILDER: "nix", PATH: bin });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        "nix is not on PATH: install it (https://nixos.org/download), or set image.vhd to",
      ),
    });
  });

  it("whose build fails is told so", async () => {
    program(
      "nix",
      `case "$*" in *show-config*) echo '${JSON.stringify(withBuilder)}' ;; *) echo "error: boom" >&2; exit 1 ;; esac`,
    );
    const { code, stderr } = await build({ BUILDER: "nix" });
    expect(code).toBe(1);
    expect(stderr).toBe(
      "error: boom\nbuild: nix build path:./nix#packages.x86_64-linux.image-dev failed: exit code 1: its reason stands above\n",
    );
  });
});

it.each(["STACK", "BUILDER", "BLOB_URL", "DIGEST"])("a call without %s is a wrong one", async (variable) => {
  const { code, stderr } = await build({ [variable]: "" });
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`build: ${variable} is not set`) });
});

it("a call without facts is for a stack that has some on disk, as a system's is", async () => {
  const { code, stderr } = await build({ FACTS: "" });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining("has no facts yet: run pulumi up again"),
  });
});
