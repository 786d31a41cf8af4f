import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BlobStore, download, startBlobStore } from "../upload/blob-store";
import { type CommandResult, runCommand } from "../upload/run-command";
import { MIB, vhd } from "../upload/test-disks";

/** Digests, as what both commands are told of: the builder makes a disk of each. */
const FIRST = "1".repeat(64);
const SECOND = "2".repeat(64);

let store: BlobStore;
let folder: string;
let container = 0;

beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.close());
beforeEach(() => {
  container += 1;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "build-again-"));
  for (const digest of [FIRST, SECOND]) fs.writeFileSync(path.join(folder, `${digest}.made`), disk(digest));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** What a builder makes for a digest. */
const made = new Map(
  [FIRST, SECOND].map((digest) => [digest, vhd({ mebibytes: 6, runs: [[3 * MIB, MIB]], seed: digest })]),
);
const disk = (digest: string): Buffer => made.get(digest) ?? Buffer.alloc(0);
const blob = (digest: string) => store.container.getPageBlobClient(`${container}-${digest}.vhd`);

/** A builder whose disk always has the same path, as a Makefile's would. */
const MAKE = 'echo "$DIGEST" >> built; cp "$DIGEST.made" disk.vhd; echo disk.vhd; test ! -e broken';
/** Stands for nix: links what it has built where it is told to. */
const NIX =
  '#!/bin/sh\nprintf "%s\\n" "$DIGEST" >> built\n' +
  'mkdir -p "store/$DIGEST"; cp "$DIGEST.made" "store/$DIGEST/nixos.vhd"\n' +
  'ln -sfn "../../store/$DIGEST" "$6"; test ! -e broken\n';

const run = (program: string, digest: string, environment: NodeJS.ProcessEnv): Promise<CommandResult> =>
  runCommand(program, folder, {
    ...store.environment(),
    STACK: "dev",
    FACTS: "{}",
    BUILDER: JSON.stringify(["sh", "-c", MAKE]),
    BLOB_URL: blob(digest).url.replace(/\?.*/, ""),
    DIGEST: digest,
    ...environment,
  });
const build = (digest: string, environment: NodeJS.ProcessEnv = {}) => run("build-image", digest, environment);
/** @param printed what the build printed, and Pulumi remembers */
const upload = (printed: string, digest: string, environment: NodeJS.ProcessEnv = {}) =>
  run("upload-image", digest, { VHD: printed, ...environment });
const built = (): string[] => fs.readFileSync(path.join(folder, "built"), "utf8").trim().split("\n");
const withNix = (): NodeJS.ProcessEnv => {
  const bin = path.join(folder, "bin");
  fs.mkdirSync(bin);
  fs.writeFileSync(path.join(bin, "nix"), NIX, { mode: 0o755 });
  return { BUILDER: "nix", PATH: `${bin}${path.delimiter}${process.env.PATH}` };
};

describe.each(["a builder", "nix"])("with %s,", (builder) => {
  const environment = (): NodeJS.ProcessEnv => (builder === "nix" ? withNix() : {});

  it("an upload that was cut goes on where nothing is left of the build, and the facts are there for it", async () => {
    const told = environment();
    const { stdout } = await build(FIRST, told);
    await blob(FIRST).create(disk(FIRST).length, { metadata: { digest: FIRST, complete: "false" } });
    await blob(FIRST).uploadPages(disk(FIRST).subarray(3 * MIB, 3.5 * MIB), 3 * MIB, MIB / 2);
    for (const left of [".cache", "disk.vhd", "store", "nix"]) {
      fs.rmSync(path.join(folder, left), { recursive: true, force: true });
    }
    const { code, stderr } = await upload(stdout, FIRST, told);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^the disk '.*' is gone: building it again\n/),
    });
    expect((await download(blob(FIRST))).equals(disk(FIRST))).toBe(true);
    expect(built()).toEqual([FIRST, FIRST]);
    expect(fs.readFileSync(path.join(folder, "nix/stacks/dev/facts.json"), "utf8")).toBe("{}");
  });

  it("an upload after a later build that failed sends its own disk, not the later one", async () => {
    const told = environment();
    const { stdout } = await build(FIRST, told);
    fs.writeFileSync(path.join(folder, "broken"), "");
    expect((await build(SECOND, told)).code).toBe(1);
    fs.rmSync(path.join(folder, "broken"));
    expect(await upload(stdout, FIRST, told)).toMatchObject({ code: 0 });
    expect((await download(blob(FIRST))).equals(disk(FIRST))).toBe(true);
  });

  it("a disk that nobody has touched is not built again", async () => {
    const told = environment();
    const { stdout } = await build(FIRST, told);
    expect(await upload(stdout, FIRST, told)).toMatchObject({ code: 0 });
    expect(built()).toEqual([FIRST]);
  });
});

it("a complete blob needs no disk, and one that was deleted is built and sent again", async () => {
  await upload((await build(FIRST)).stdout, FIRST);
  const { stdout } = await build(FIRST);
  expect(JSON.parse(stdout)).toEqual({ vhd: null, stamp: null, digest: FIRST });
  expect((await upload(stdout, FIRST)).code).toBe(0);
  expect(built()).toEqual([FIRST]);
  await blob(FIRST).delete();
  const { code, stderr } = await upload(stdout, FIRST);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("is not any more: building it again") });
  expect(await blob(FIRST).exists()).toBe(true);
});

it("what Nix built is kept until a later disk is uploaded; another stack's stays", async () => {
  const told = withNix();
  const links = path.join(folder, ".cache/images");
  await build(FIRST, told);
  await build(FIRST, { ...told, STACK: "dev-eu" });
  const { stdout } = await build(SECOND, told);
  const [first, second] = [FIRST, SECOND].map((digest) => `dev-${digest.slice(0, 32)}`);
  const other = `dev-eu-${FIRST.slice(0, 32)}`;
  expect(fs.readdirSync(links).sort()).toEqual([first, second, other].sort());
  expect((await upload(stdout, SECOND, told)).code).toBe(0);
  expect(fs.readdirSync(links).sort()).toEqual([second, other].sort());
});

it("a builder that fails when it is run again is told so", async () => {
  const { stdout } = await build(FIRST);
  fs.rmSync(path.join(folder, "disk.vhd"));
  fs.writeFileSync(path.join(folder, "broken"), "");
  const { code, stderr } = await upload(stdout, FIRST);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("upload: the builder 'sh' failed") });
});
