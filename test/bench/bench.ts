import { execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type BenchResult, benchNames, resultsTable } from "./results";

const USAGE = `npm run bench                    all benches, one after the other; writes test/bench/results.md and results.json
npm run bench -- NAME [OPTIONS]  one of: ${benchNames().join(", ")}`;

/** What a bench printed last, as JSON; all else that it says is for people. */
function lastJson(stdout: string): BenchResult["figures"] {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  return line.startsWith("{") ? (JSON.parse(line) as BenchResult["figures"]) : undefined;
}

/** Its own progress is seen as it comes. */
async function run(name: string, options: readonly string[]): Promise<{ code: number; stdout: string }> {
  const words = ["components/start/run.mjs", path.join("test", "bench", `${name}.ts`), ...options];
  const child = spawn(process.execPath, words, { stdio: ["inherit", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    process.stdout.write(text);
  });
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? 1)));
  return { code, stdout };
}

async function runAll(): Promise<void> {
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
    processor: `${os.cpus()[0]?.model ?? "unknown"}, ${os.availableParallelism()} cores`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    load: `${os.loadavg()[0]?.toFixed(1)} processes before it began`,
    versions: versions(),
  };
  const results: BenchResult[] = [];
  for (const name of benchNames()) {
    console.log(`\n${name}`);
    const { code, stdout } = await run(name, ["--json"]);
    results.push({ name, code, figures: lastJson(stdout) });
    fs.writeFileSync("test/bench/results.json", `${JSON.stringify({ machine, results }, null, 2)}\n`);
    fs.writeFileSync("test/bench/results.md", resultsTable(machine, results));
  }
  process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0;
}

/** Of what is measured and of what it is measured beside; what is not here is left out. */
function versions(): string {
  const provided = (program: string): string => {
    const fetched = path.resolve(".tools", "bin", program);
    return fs.existsSync(fetched) ? fetched : program;
  };
  const asked: readonly (readonly [string, string, ...string[]])[] = [
    ["Pulumi", "pulumi", "version"],
    ["sops", provided("sops"), "--disable-version-check", "--version"],
    ["azcopy", provided("azcopy"), "--version"],
    ["npm", "npm", "--version"],
  ];
  const found = asked.flatMap(([name, program, ...words]) => {
    const { stdout } = spawnSync(program, words, { encoding: "utf8" });
    const [version] = /\d+\.\d+\.\d+\S*/.exec(stdout ?? "") ?? [];
    return version === undefined ? [] : [`${name} ${version}`];
  });
  return [`Node ${process.versions.node}`, `Linux ${os.release()}`, ...found].join(", ");
}

async function main([name, ...options]: readonly string[]): Promise<void> {
  if (name === undefined) return runAll();
  if (benchNames().includes(name)) {
    process.exitCode = (await run(name, options)).code;
    return;
  }
  console.error(`no bench is called ${name}\n${USAGE}`);
  process.exitCode = 2;
}

void main(process.argv.slice(2));
