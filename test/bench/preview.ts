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
import { copyProgram } from "../rehearsal/workspace";
import { median } from "./median";
import { configOf } from "./preview-config";
import { type UnchangedUp, unchangedUp } from "./unchanged-up";

/**
 * The time of `pulumi preview` of this program beside that of an empty TypeScript program, in turns, so that whatever
 * else the machine does meets both; that of a further secret; and, under Pulumi's own engine, how much longer than
 * `pulumi preview` an update takes that has nothing to change: `pulumi up --skip-preview`, which runs the program once as
 * the preview does, and `pulumi up`, which runs it twice. Without a CLI all run in process, each in a process of its own.
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
  /** This program with `MORE` secrets more. */
  many: Contender;
  close: () => Promise<void>;
}

type Times = Readonly<Record<"ours" | "empty" | "many", number>>;

const MORE = 20;

function writeEmptyProgram(folder: string): void {
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: empty\nruntime: nodejs\n");
  fs.writeFileSync(path.join(folder, "index.ts"), "export {};\n");
  fs.writeFileSync(path.join(folder, "package.json"), '{"name":"empty","main":"index.ts"}\n');
  fs.cpSync("components/start", path.join(folder, "components/start"), { recursive: true });
  fs.copyFileSync("tsconfig.json", path.join(folder, "tsconfig.json"));
  fs.symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"), "dir");
}

async function underPulumi(root: string, folder: (name: string) => string): Promise<Contest> {
  const cloud = createCloud();
  const principal = cloud.directory.addApplication({ displayName: "bench" });
  const providers = () => [
    simulatedAzureNative({ cloud, principal }),
    simulatedRandom(),
    localCommand({ folder: folder("program") }),
  ];
  const start = (name: string, values: Record<string, string>): Promise<PulumiEngine> =>
    startPulumi({
      folder: folder(name),
      home: path.join(root, `home-${name}`),
      stack: "bench",
      config: values,
      providers: providers(),
    });
  const [ours, many] = [await start("program", configOf(0)), await start("many", configOf(MORE))];
  const nothing = await start("empty", {});
  return {
    engine: `pulumi ${ours.version}`,
    ours: () => ours.previewJson(),
    empty: () => nothing.previewJson(),
    many: () => many.previewJson(),
    close: async () => void (await Promise.all([ours.close(), nothing.close(), many.close()])),
  };
}

function inProcess(folder: (name: string) => string): Contest {
  const once = ["components/start/run.mjs", "test/bench/preview-once.ts"];
  const run = (name: string, more = 0) => promisify(execFile)(process.execPath, [...once, folder(name), `${more}`]);
  return {
    engine: "in process",
    ours: () => run("program"),
    empty: () => run("empty"),
    many: () => run("many", MORE),
    close: async () => {},
  };
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
async function measure(contest: Contest): Promise<Times> {
  const times = { ours: [] as number[], empty: [] as number[], many: [] as number[] };
  for (let turn = 0; turn <= ROUNDS; turn += 1) {
    for (const name of ["ours", "empty", "many"] as const) {
      const seconds = await timed(contest[name]);
      if (turn > 0) times[name].push(seconds);
    }
  }
  return { ours: median(times.ours), empty: median(times.empty), many: median(times.many) };
}

async function main(): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "bench-preview-"));
  const folder = (name: string): string => path.join(root, name);
  const hasPulumi = findPulumi() !== undefined;
  try {
    for (const name of ["program", "many"]) {
      fs.mkdirSync(folder(name));
      copyProgram(process.cwd(), folder(name));
    }
    writeEmptyProgram(folder("empty"));
    const contest = hasPulumi ? await underPulumi(root, folder) : inProcess(folder);
    const times = await measure(contest).finally(() => contest.close());
    report(contest.engine, times, hasPulumi ? await unchangedUp(timed) : undefined);
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

function report(engine: string, { empty, many, ours }: Times, up: UnchangedUp | undefined): void {
  const result = {
    extraSeconds: round(ours - empty),
    ratioToEmpty: round(ours / empty),
    secondsPerSecret: Number(((many - ours) / MORE).toFixed(4)),
    ...(up && {
      unchangedUpExtraSeconds: round(up.skipped),
      unchangedUpWithPreviewExtraSeconds: round(up.previewed),
    }),
  };
  console.log(`preview, ${engine}, median of ${ROUNDS}`);
  console.log(`an empty program  ${empty.toFixed(2)} s`);
  console.log(
    `this program      ${ours.toFixed(2)} s, ${result.extraSeconds} s more, ${result.ratioToEmpty} times as long`,
  );
  console.log(`a further secret  ${(result.secondsPerSecret * 1000).toFixed(1)} ms`);
  if (up) {
    console.log(`up, unchanged     ${round(up.skipped)} s more than a preview; nothing in Azure was asked`);
    console.log(`  and its preview ${round(up.previewed)} s more: Pulumi runs the program twice`);
  }
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
