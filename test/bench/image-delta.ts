import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { assignment, type Rig, roleId, startRig } from "loopback-azure/fixture";
import { fixedVhdFooter } from "../../components/image/disk/vhd-footer";
import { findOnPath } from "../../components/process/find-program";
import { partitionTable } from "../rehearsal/partition-table";
import { provideAzcopy } from "./upload/azcopy";
import { azcopy } from "./upload/contenders";
import { measuredRun } from "./upload/measured-run";
import { startBenchStore } from "./upload/store";

/**
 * What the second image costs: two ext4 disks of store paths, of which a few are new and so most have moved. Bytes of all
 * request bodies of the second upload, beside the bytes of the files that are new, and beside what azcopy sends.
 *
 *   npm run bench:image-delta [-- --json]
 */
const MIB = 1024 * 1024;
const DISK = 512 * MIB;
const HOST = "sealedtest.blob.core.windows.net";
const STORAGE = "Microsoft.Storage/storageAccounts";
const CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const PATHS = 300;
/** These store paths are others in the second disk; one of them is longer than before, so what follows moves. */
const CHANGED = [20, 110, 111, 250];

async function main(): Promise<void> {
  if (findOnPath("mkfs.ext4") === undefined)
    throw new Error("mkfs.ext4 is not on PATH: type `apt-get install e2fsprogs`");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-delta-"));
  const rig = await startRig();
  try {
    prepareAccount(rig);
    const first = makeDisk(folder, "first", () => "1");
    const second = makeDisk(folder, "second", (index) => (CHANGED.includes(index) ? "2" : "1"));
    await upload(rig, first.file, 1);
    const sent = await upload(rig, second.file, 2);
    await checkStored(rig, second.file);
    const changed = CHANGED.reduce((sum, index) => sum + sizeOf(index, "2"), 0);
    const theirs = await sentByAzcopy(folder, second.file);
    const ratio = (value: number) => Math.round(value * 1000) / 1000;
    const figures = { ratioToChanged: ratio(sent / changed), ratioToAzcopy: theirs && ratio(sent / theirs) };
    const mib = (bytes: number) => `${(bytes / MIB).toFixed(2)} MiB`;
    const peer = theirs ? `azcopy sends ${mib(theirs)}` : "azcopy: skipped, it does not run here";
    console.log(`changed ${mib(changed)}, sent ${mib(sent)} (${figures.ratioToChanged}, at most 1.1), ${peer}`);
    if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
  } finally {
    await rig.close();
    fs.rmSync(folder, { recursive: true });
  }
}

function prepareAccount({ cloud, ids, workstation }: Rig): void {
  cloud.put({ id: ids.account, type: STORAGE, name: "sealedtest", location: "westeurope", properties: {} });
  const id = `${ids.account}/blobServices/default/containers/images`;
  cloud.put({ id, type: `${STORAGE}/blobServices/containers`, name: "images", properties: {} });
  cloud.put(assignment(ids.account, workstation().objectId, roleId(cloud, CONTRIBUTOR)), { effectiveAfterMs: 0 });
}

/** Most files of a store are small, most of its bytes lie in few large ones. */
function sizeOf(index: number, version: string): number {
  const base = index % 10 === 0 ? 3 * MIB : 40_000 + 997 * index;
  return version === "1" ? base : base + 70_000;
}

/** Written as a builder writes it: the paths one behind the other, none of its times from a clock. */
function makeDisk(folder: string, name: string, versionOf: (index: number) => string): { file: string } {
  const tree = path.join(folder, "tree");
  for (let index = 0; index < PATHS; index++) {
    const version = versionOf(index);
    const content = execFileSync(
      "openssl",
      ["enc", "-aes-256-ctr", "-pass", `pass:${index} ${version}`, "-nosalt", "-pbkdf2"],
      {
        input: Buffer.alloc(sizeOf(index, version)),
        maxBuffer: 16 * MIB,
      },
    );
    const target = path.join(tree, "nix", "store", `${`${index}`.padStart(4, "0")}-path`, "content");
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, content);
    fs.utimesSync(target, 1, 1);
  }
  const file = path.join(folder, `${name}.vhd`);
  const tables = Buffer.alloc(DISK);
  partitionTable(tables, [
    { type: "efi", firstByte: MIB, bytes: MIB },
    { type: "linux", firstByte: 2 * MIB, bytes: DISK - 3 * MIB },
  ]);
  fs.writeFileSync(file, Buffer.concat([tables, fixedVhdFooter(DISK, Buffer.from(name.padEnd(16)))]));
  const options = [
    "-q",
    "-b",
    "4096",
    "-F",
    "-U",
    "11111111-2222-3333-4444-555555555555",
    "-E",
    `offset=${2 * MIB},hash_seed=11111111-2222-3333-4444-555555555555`,
  ];
  execFileSync("mkfs.ext4", [...options, "-d", tree, file, `${DISK / 1024 - 3 * 1024}k`], {
    env: { ...process.env, E2FSPROGS_FAKE_TIME: "1" },
    stdio: "pipe",
  });
  fs.rmSync(tree, { recursive: true });
  return { file };
}

const blobOf = (image: number): string => `dev-${`${image}`.padStart(32, "0")}.vhd`;

/** @returns bytes of all request bodies */
async function upload({ azure }: Rig, disk: string, image: number): Promise<number> {
  azure.requests.clear();
  const { code, output } = await measuredRun(
    [process.execPath, path.resolve("components/start/run.mjs"), "upload-image"],
    {
      ...azure.workstation.env,
      ...{ VHD: disk, BLOB_URL: `https://${HOST}/images/${blobOf(image)}`, DIGEST: `${image}`, STACK: "dev" },
    },
  );
  if (code !== 0) throw new Error(`the upload failed: ${output}`);
  console.error(
    output
      .trim()
      .split("\n")
      .find((line) => line.startsWith("uploaded")),
  );
  const requests = azure.requests.entries.filter(({ host }) => host === HOST);
  return requests.reduce((sum, { requestBytes = 0 }) => sum + requestBytes, 0);
}

async function checkStored({ cloud }: Rig, disk: string): Promise<void> {
  const content = fs.readFileSync(disk);
  for (let start = 0; start < content.length; start += 16 * MIB) {
    const piece = content.subarray(start, start + 16 * MIB);
    const stored = await cloud.blobs.read(`https://${HOST}/images/${blobOf(2)}`, start, piece.length);
    if (!stored.equals(piece)) throw new Error(`the blob differs from the disk from byte ${start} on`);
  }
}

async function sentByAzcopy(folder: string, disk: string): Promise<number | null> {
  const program = provideAzcopy(console.error);
  if (!program) return null;
  const store = await startBenchStore(folder);
  try {
    const files = { disk, ranges: "", scratch: folder };
    const peer = azcopy(program);
    const { code, output } = await measuredRun(
      peer.command(files, store, "x.vhd"),
      peer.environment(files, store, "x.vhd"),
    );
    if (code !== 0) throw new Error(`azcopy failed: ${output}`);
    return store.storedBytes();
  } finally {
    await store.close();
  }
}

main().catch((error: unknown) => {
  console.error(`bench: ${(error as Error).message}`);
  process.exit(1);
});
