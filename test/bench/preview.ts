import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { createCloud } from "loopback-azure/cloud";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { findPulumi, type PulumiEngine, startPulumi } from "../rehearsal/engine/pulumi";
import { localCommand } from "../rehearsal/providers/local-command";
import { simulatedRandom } from "../rehearsal/providers/random";
import { pulumiConfig } from "../rehearsal/pulumi-config";
import { nobodysSshKey } from "../rehearsal/ssh-key";
import { copyProgram } from "../rehearsal/workspace";
import { median } from "./median";

/**
 * The time of `pulumi preview` of this program beside that of an empty TypeScript program, in turns, so that whatever
 * else the machine does meets both. Without a CLI both run in process, each in a process of its own.
 *
 *   npm run bench:preview              a few lines for people
 *   npm run bench:preview -- --json    and a last line of JSON
 */
const ROUNDS = 7;

/** Takes one preview. */
type Contender = () => Promise<unknown>;

interface Contest {
  engine: string;
  ours: Contender;
  empty: Contender;
  close: () => Promise<void>;
}

const config = pulumiConfig({
  "azure-native:location": "westeurope",
  sshPublicKey: nobodysSshKey,
  secrets: { onion: { source: { onion: {} } } },
});

function writeEmptyProgram(folder: string): void {
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: empty\nruntime: nodejs\n");
  fs.writeFileSync(path.join(folder, "index.ts"), "export {};\n");
  fs.writeFileSync(path.join(folder, "package.json"), '{"name":"empty","main":"index.ts"}\n');
  fs.cpSync("components/start", path.join(folder, "components/start"), { recursive: true });
  fs.copyFileSync("tsconfig.json", path.join(folder, "tsconfig.json"));
  fs.symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"), "dir");
}

async function underPulumi(root: string, program: string, empty: string): Promise<Contest> {
  const cloud = createCloud();
  const principal = cloud.directory.addApplication({ displayName: "bench" });
  const providers = () => [
    simulatedAzureNative({ cloud, principal }),
    simulatedRandom(),
    localCommand({ folder: program }),
  ];
  const start = (folder: string, name: string, values: Record<string, string>): Promise<PulumiEngine> =>
    startPulumi({ folder, home: path.join(root, name), stack: "bench", config: values, providers: providers() });
  const [ours, nothing] = [await start(program, "ours", config), await start(empty, "nothing", {})];
  return {
    engine: `pulumi ${ours.version}`,
    ours: () => ours.previewJson(),
    empty: () => nothing.previewJson(),
    close: async () => void (await Promise.all([ours.close(), nothing.close()])),
  };
}

function inProcess(program: string, empty: string): Contest {
  const run = (folder: string) =>
    promisify(execFile)(process.execPath, ["components/start/run.mjs", "test/bench/preview-once.ts", folder]);
  return { engine: "in process", ours: () => run(program), empty: () => run(empty), close: async () => {} };
}

async function timed(work: Contender): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The first run of each fills caches, and does not count. */
async function measure({ ours, empty }: Contest): Promise<{ ours: number; empty: number }> {
  const times = { ours: [] as number[], empty: [] as number[] };
  for (let turn = 0; turn <= ROUNDS; turn += 1) {
    const [first, second] = [await timed(ours), await timed(empty)];
    if (turn === 0) continue;
    times.ours.push(first);
    times.empty.push(second);
  }
  return { ours: median(times.ours), empty: median(times.empty) };
}

async function main(): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "bench-preview-"));
  const [program, empty] = [path.join(root, "program"), path.join(root, "empty")];
  try {
    fs.mkdirSync(program);
    copyProgram(process.cwd(), program);
    writeEmptyProgram(empty);
    const contest = findPulumi() === undefined ? inProcess(program, empty) : await underPulumi(root, program, empty);
    try {
      report(contest.engine, await measure(contest));
    } finally {
      await contest.close();
    }
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

function report(engine: string, { ours, empty }: { ours: number; empty: number }): void {
  const result = { extraSeconds: round(ours - empty), ratioToEmpty: round(ours / empty) };
  console.log(`preview, ${engine}, median of ${ROUNDS}`);
  console.log(`an empty program  ${empty.toFixed(2)} s`);
  console.log(
    `this program      ${ours.toFixed(2)} s, ${result.extraSeconds} s more, ${result.ratioToEmpty} times as long`,
  );
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
