import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { RehearsalReport } from "../report";
import { cannotBoot } from "./boot-inside";
import { stories } from "./stories";

const reason = cannotBoot();
const unless = reason === undefined ? "" : ` (skipped: ${reason})`;

function start(...args: string[]): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const program = ["components/start/run.mjs", "test/rehearsal/rehearse.ts", "--boot", ...args];
  const child = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output, ended: new Promise((resolve) => child.once("close", resolve)) };
}

/** Processes whose arguments or environment name a run of this process. */
function processesOf(run: number | undefined): string[] {
  return fs
    .readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && readOrNothing(`/proc/${pid}/environ`).includes(`sealed-onion-${run}\0`));
}

function readOrNothing(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return ""; // it has ended
  }
}

async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not so within ${withinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.skipIf(reason !== undefined)(`npm run rehearse -- --boot${unless}`, () => {
  let report: RehearsalReport;
  let said: string;
  let code: number | null;

  // One machine for all: the first time Debian's part of it is built.
  beforeAll(async () => {
    const { output, ended } = start("--json");
    code = await ended;
    said = output();
    report = JSON.parse(said.trim().split("\n").at(-1) ?? "");
  }, 900_000);

  it.each(stories.filter(({ isLong }) => !isLong).map(({ name }) => name))("%s", (name) => {
    expect(
      report.stories.find((story) => story.name === name),
      said,
    ).toMatchObject({ ok: true });
  });

  it("boots the disk that was uploaded, and finds no plaintext", () => {
    expect(report, said).toMatchObject({ guest: "booted", httpStatus: 200, leaks: [], canaryFound: true, ok: true });
    expect(report.bytesUploaded).toBeGreaterThan(64 << 20);
    expect(code).toBe(0);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("leaves no process after %s", { timeout: 120_000 }, async (signal) => {
    const { child, output, ended } = start();
    await until(() => output().includes("recovery keys"), 90_000);
    expect(processesOf(child.pid).length).toBeGreaterThan(2);
    child.kill(signal);
    await ended;
    await until(() => processesOf(child.pid).length === 0, 20_000);
  });
});
