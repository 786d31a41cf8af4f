import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileDigest } from "../../components/image/disk/file-digest";
import { readTree } from "../../components/image/guest-tree";

/**
 * The time to digest a guest's tree of 1,000 files, as every preview does, beside `tar | sha256sum` over the same tree,
 * in turns. Then how quickly a disk without zeros is read, searched for zeros and hashed, on one core. `--json` adds a
 * last line of JSON: the best of the rounds, and the ratio.
 */
const ROUNDS = 15;
const FILES = 1_000;

const DISK_BYTES = 2 ** 29;
const RANDOM_BYTES = 2 ** 24;
const DISK_ROUNDS = 4;

function seconds(work: () => unknown): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

/** Seconds on a processor: what else the machine does meanwhile is not in it. */
function processorSeconds(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** GB/s on one core. In the page cache after its first reading, which does not count. */
function diskRate(): number {
  const disk = path.join(folder, "disk.vhd");
  for (let index = 0; index < DISK_BYTES / RANDOM_BYTES; index++) fs.appendFileSync(disk, randomBytes(RANDOM_BYTES));
  const times = Array.from({ length: DISK_ROUNDS }, (_, round) =>
    processorSeconds(() => fileDigest(disk, path.join(folder, `memory-${round}.json`))),
  );
  return DISK_BYTES / 1e9 / Math.min(...times.slice(1));
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "digest-"));
try {
  for (let index = 0; index < FILES; index++) {
    const file = path.join(folder, "tree", "modules", String(index % 20), `${index}.nix`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `{ value = ${index}; }\n`);
  }
  const tree = path.join(folder, "tree");
  const times = Array.from({ length: ROUNDS }, () => ({
    ours: seconds(() => readTree(tree)),
    peer: seconds(() => execFileSync("/bin/sh", ["-c", 'tar -c -C "$0" . | sha256sum', tree])),
  }));
  const ours = Math.min(...times.map((time) => time.ours));
  const result = {
    files: FILES,
    milliseconds: rounded(ours * 1000),
    ratioToTar: rounded(ours / Math.min(...times.map((time) => time.peer))),
    gigabytesPerSecond: rounded(diskRate()),
  };
  console.log(`${FILES} files: ${result.milliseconds} ms, ${result.ratioToTar} times tar | sha256sum`);
  console.log(`a disk, read, searched for zeros and hashed: ${result.gigabytesPerSecond} GB/s on one core`);
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
} finally {
  fs.rmSync(folder, { recursive: true });
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
