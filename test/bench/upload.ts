import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { fileDigest } from "../../components/image/disk/file-digest";
import { findOnPath } from "../../components/process/find-program";
import { median } from "./median";
import { provideAzcopy } from "./upload/azcopy";
import { az, azcopy, type BenchFiles, type Contender, floor, ours } from "./upload/contenders";
import { type BenchDisk, benchDisks, makeDisk } from "./upload/disks";
import { type MeasuredRun, measuredRun } from "./upload/measured-run";
import { type DiskPlan, planDisk } from "./upload/plan";
import { type DiskResult, judge, summary } from "./upload/report";
import { resentShare } from "./upload/resend";
import { type BenchStore, startBenchStore, storeParent } from "./upload/store";

/**
 * Uploads four disks, side by side: this project, azcopy, `az` where it is installed, and the floor (the SDK's simplest
 * loop over the same ranges). All into the same Azurite, in turns, so that whatever else the machine does meets all.
 *
 *   npm run bench:upload                  a table for people
 *   npm run bench:upload -- --json        and a last line of JSON
 *   ... --runs 5 --disk ext4              more rounds; one disk alone (may be given several times)
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: "boolean" }, runs: { type: "string" }, disk: { type: "string", multiple: true } },
  });
  const log = (line: string): void => console.error(line);
  const folder = temporaryFolder(os.tmpdir());
  const stores = temporaryFolder(storeParent());
  const disks = benchDisks.filter(({ name }) => values.disk?.includes(name) ?? true);
  const contenders = findContenders(log);
  log(`Azurite keeps its blobs in ${path.dirname(stores)}`);
  const results: DiskResult[] = [];
  let resentRatio: number | undefined;
  for (const disk of disks) {
    log(`making ${disk.name}: ${disk.describe}`);
    const files = { ...prepare(disk, folder), stores };
    results.push(await measureDisk(disk, files, contenders, Number(values.runs ?? 3), log));
    if (disk.name === "scattered") resentRatio = await measureResent(files, log);
    fs.rmSync(files.disk);
  }
  console.log(summary(results, resentRatio));
  if (values.json) console.log(JSON.stringify(judge(results, resentRatio)));
}

/** A folder that goes with this process, also where somebody types ^C. */
function temporaryFolder(parent: string): string {
  const folder = fs.mkdtempSync(path.join(parent, "bench-upload-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `stores`: the folder in which Azurites keep their blobs. */
type Prepared = BenchFiles & { readonly plan: DiskPlan; readonly folder: string; readonly stores: string };

function prepare(disk: BenchDisk, folder: string): Omit<Prepared, "stores"> {
  const file = makeDisk(disk, folder);
  const plan = planDisk(file);
  const [ranges, scratch] = [path.join(folder, `${disk.name}.json`), path.join(folder, "scratch")];
  fs.writeFileSync(ranges, JSON.stringify(plan.ranges));
  fs.mkdirSync(scratch, { recursive: true });
  return { disk: file, ranges, scratch, plan, folder };
}

function findContenders(log: (line: string) => void): Contender[] {
  const [azcopyProgram, azProgram] = [provideAzcopy(log), findOnPath("az")];
  if (!azcopyProgram) log("azcopy cannot run here: it is left out");
  return [ours, floor, ...(azcopyProgram ? [azcopy(azcopyProgram)] : []), ...(azProgram ? [az(azProgram)] : [])];
}

async function measureDisk(
  disk: BenchDisk,
  files: Prepared,
  contenders: readonly Contender[],
  rounds: number,
  log: (line: string) => void,
): Promise<DiskResult> {
  const runs = new Map<Contender["name"], (MeasuredRun & { stored: number })[]>();
  for (let round = 0; round < rounds; round++) {
    const store = await startBenchStore(files.stores);
    try {
      await warm(store, files);
      const order = contenders.map((_, index) => contenders[(index + round) % contenders.length] ?? ours);
      for (const contender of order) {
        const run = await upload(contender, files, store, `${contender.name}.vhd`);
        runs.set(contender.name, [...(runs.get(contender.name) ?? []), run]);
        log(`${disk.name} ${contender.name}: ${run.seconds.toFixed(2)} s, ${(run.stored / 2 ** 20).toFixed(1)} MiB`);
        if (contender === ours && round === 0) await checkEqual(files, store, `${contender.name}.vhd`);
        await store.container.deleteBlob(`${contender.name}.vhd`);
      }
    } finally {
      await store.close();
    }
  }
  return { name: disk.name, dataBytes: files.plan.dataBytes, runs };
}

/** Azurite's code is compiled, and the disk in the page cache, before anyone is measured. */
async function warm(store: BenchStore, files: Prepared): Promise<void> {
  await upload(floor, files, store, "warm.vhd");
  await store.container.deleteBlob("warm.vhd");
}

async function upload(contender: Contender, files: Prepared, store: BenchStore, blob: string) {
  const before = store.storedBytes();
  const run = await measuredRun(contender.command(files, store, blob), contender.environment(files, store, blob));
  if (run.code !== 0) throw new Error(`${contender.name} failed: ${run.output}`);
  return { ...run, stored: store.storedBytes() - before };
}

async function checkEqual(files: Prepared, store: BenchStore, blob: string): Promise<void> {
  const copy = path.join(files.folder, "downloaded.vhd");
  await store.container.getBlobClient(blob).downloadToFile(copy);
  const isEqual =
    fileDigest(copy, path.join(files.scratch, "a.json")) === fileDigest(files.disk, path.join(files.scratch, "b.json"));
  fs.rmSync(copy);
  if (!isEqual) throw new Error("the blob does not equal the disk");
}

/** The median over three kills. */
async function measureResent(files: Prepared, log: (line: string) => void): Promise<number> {
  const store = await startBenchStore(files.stores);
  try {
    const sent = files.plan.ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    const shares: number[] = [];
    for (const part of [0.25, 0.5, 0.8]) {
      const share = await resentShare(files, store, part, sent);
      log(`killed at ${part * 100}%: ${(share * 100).toFixed(1)}% sent again`);
      shares.push(share);
    }
    return median(shares);
  } finally {
    await store.close();
  }
}

process.once("SIGINT", () => process.exit(130));
main().catch((error: unknown) => {
  console.error(`bench: ${(error as Error).message}`);
  process.exit(1);
});
