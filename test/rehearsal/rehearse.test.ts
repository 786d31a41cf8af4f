import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import type { RehearsalReport } from "./report";

const missing = ["sops", "tor", "tor-gencert", "curl", "jq"].filter((tool) => !findOnPath(tool));
const unless = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

const noRecovery = ["git", "age-keygen"].filter((tool) => !findOnPath(tool));

/** Another shell than the rehearsal's: it has nothing of this Azure but what it sources. */
const cleanEnvironment = { PATH: process.env.PATH, HOME: process.env.HOME };

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "r-")); // short: tor's sockets lie below
  folders.push(folder);
  return folder;
}

/** @param temporary where it may put what it makes */
function start(
  temporary: string,
  ...args: string[]
): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, ["components/start/run.mjs", "test/rehearsal/rehearse.ts", ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return { child, output: () => output, ended: new Promise((resolve) => child.once("close", resolve)) };
}

/** Processes that name the folder in their arguments. */
function processesIn(folder: string): string[] {
  return fs
    .readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => readOrNothing(`/proc/${pid}/cmdline`))
    .filter((commandLine) => commandLine.includes(folder));
}

function readOrNothing(file: string): string {
  try {
    return fs.readFileSync(file, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // it has ended
  }
}

describe.skipIf(missing.length > 0)(`npm run rehearse${unless}`, () => {
  describe("kept up until Ctrl-C", () => {
    let kept: ReturnType<typeof start>;
    let folder: string;
    beforeAll(async () => {
      folder = newFolder();
      kept = start(folder, "--keep", "--json", "--engine", "in-process");
      await waitFor(() => kept.output().includes("Ctrl-C ends all of it") || kept.child.exitCode !== null, 200_000);
    }, 240_000);

    it("deploys, boots, refuses, opens, serves a page over Tor and leaves no plaintext", () => {
      const report = JSON.parse(/^\{"engine".+\}$/m.exec(kept.output())?.[0] ?? "{}") as RehearsalReport;
      expect(report, kept.output()).toMatchObject({
        engine: "in-process",
        guest: "light",
        stories: [],
        onionHostname: expect.stringMatching(/^[a-z2-7]{56}\.onion$/),
        httpStatus: 200,
        secretsUnsealed: 3,
        leaks: [],
        canaryFound: true,
        ok: true,
      });
      expect(report.resources).toBeGreaterThan(15);
      expect(report.bytesUploaded).toBeGreaterThan(1 << 20);
      expect(report.bytesUploaded).toBeLessThan(16 << 20);
      const drawn = fs.readFileSync(".github/pictures/rehearsal.txt", "utf8").matchAll(/^\S (\S.+?)(?= {2}|$)/gm);
      expect([...drawn].map(([, name]) => name)).toEqual(report.steps.map(({ name }) => name));
      const names = report.steps.filter(({ skipped }) => skipped === undefined).map(({ name }) => name);
      expect(names).toContain("refused to another VM's identity");
      if (noRecovery.length === 0) expect(names).toContain("all lost but git and the age key: made again");
    });

    it("says how to use what it keeps up: the page, a sourced shell, where things lie", () => {
      const output = kept.output();
      const line = (pattern: RegExp) => pattern.exec(output)?.[0].trim() ?? "";
      const shell = (command: string) =>
        execFileSync("bash", ["-c", command], { env: cleanEnvironment, encoding: "utf8" });
      expect(shell(line(/^ +curl --proxy .+$/m))).toBe(fs.readFileSync("nix/site/index.html", "utf8"));
      const sourced = line(/^ +cd .+ && \. .+$/m);
      expect(shell(`${sourced} && npm run -s secrets -- --stack rehearsal`)).toMatch(/^token +file .+sealed.+ yes$/m);
      expect(shell(`${sourced} && ${line(/^ +sops decrypt .+$/m)}`)).toMatch(/^token-[0-9a-f]{48}$/);
      for (const [named] of output.matchAll(/(?<=^ {2})\/\S+(?= {2}\S)/gm))
        expect(fs.existsSync(named), named).toBe(true);
    });

    it("ends with everything that it started and made", async () => {
      kept.child.kill("SIGINT");
      expect(await kept.ended).toBe(130);
      await waitFor(() => processesIn(folder).length === 0);
      expect(fs.readdirSync(folder)).toEqual([]);
    });
  });

  it.skipIf(process.platform !== "linux")("ends all processes and removes all folders on Ctrl-C", async () => {
    const temporary = newFolder();
    const { child, output, ended } = start(temporary, "--engine", "in-process");
    await waitFor(() => output().includes("recovery keys") && processesIn(temporary).length > 2);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    await waitFor(() => processesIn(temporary).length === 0);
    expect(fs.readdirSync(temporary)).toEqual([]);
  });

  it.each([
    [["--all", "--engine", "in-process"], "--all tells more of a machine that boots, or of a stack under pulumi: add"],
    [["--boot", "--nix"], "--boot goes without --nix: leave one of them out"],
    [["--boot", "--engine", "pulumi"], "--boot goes without --engine: leave one of them out"],
    [["--boot", "--replicas", "2"], "--boot has the texts of 3 replicas, got 2: type npm run rehearse -- --boot"],
    [["--boot", "--replicas", "3", "--keep"], "--replicas goes without --keep: leave one of them out"],
    [["--engine", "terraform"], "--engine must be in-process or pulumi, got terraform: type --engine in-process"],
    [["--kep"], "unknown option --kep: did you mean --keep"],
  ])("refuses %s, and starts nothing", async (args, message) => {
    const { output, ended } = start(newFolder(), ...args);
    expect(await ended).toBe(2);
    expect(output()).toContain(message);
  });
});

async function waitFor(condition: () => boolean, milliseconds = 50_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`the condition did not come true within ${milliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
