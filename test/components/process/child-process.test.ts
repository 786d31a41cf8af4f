import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../../../components/process/child-process";
import { findOnPath, ProgramMissing } from "../../../components/process/find-program";

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "child-process-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

describe("a child process", () => {
  it("gets its input by a pipe and gives back what it prints", async () => {
    const result = await runChild("sh", ["-c", "cat; echo problem >&2; exit 3"], { input: Buffer.from("secret\n") });
    expect(result).toEqual({
      code: 3,
      signal: null,
      stdout: Buffer.from("secret\n"),
      stderr: "problem\n",
      timedOut: false,
    });
  });

  it("can open its input as a file, as sops does", async () => {
    const result = await runChild("cat", ["/dev/stdin"], { input: Buffer.from("secret") });
    expect(result.stdout.toString()).toBe("secret");
  });

  it("that does not read its input is no error", async () => {
    const result = await runChild("sh", ["-c", "exit 4"], { input: Buffer.alloc(1024 * 1024) });
    expect(result).toMatchObject({ code: 4, signal: null });
  });

  it("has an empty standard input where none is given", async () => {
    expect((await runChild("cat", [])).stdout).toHaveLength(0);
  });

  it("keeps its arguments and its environment apart from the shell that watches it", async () => {
    const program = 'printf "%s|" "$@" "$MARK"';
    const result = await runChild("sh", ["-c", program, "sh", "a b", "$(id)", ";"], {
      environment: { PATH: process.env.PATH, MARK: "'\"" },
    });
    expect(result.stdout.toString()).toBe("a b|$(id)|;|'\"|");
  });

  it("is killed with everything it started when its time is over", async () => {
    const result = await runChild("sh", ["-c", "sleep 600 & echo $!; wait"], { deadlineMs: 300 });
    expect(result).toMatchObject({ timedOut: true, signal: "SIGKILL" });
    await untilGone(Number(result.stdout.toString()));
  });

  it("leaves nothing behind when it ends by itself", async () => {
    const result = await runChild("sh", ["-c", "sleep 600 >/dev/null 2>&1 & echo $!"]);
    expect(result.code).toBe(0);
    await untilGone(Number(result.stdout.toString()));
  });

  it.skipIf(!findOnPath("setsid"))(
    "is over when it ends, also if a daemon of its keeps its output open (needs setsid)",
    async () => {
      const daemon = "setsid sh -c 'trap \"\" HUP; echo $$ >&2; exec sleep 600' &";
      const result = await runChild("sh", ["-c", `printf whole; ${daemon} sleep 0.3; exit 5`]);
      process.kill(Number(result.stderr), "SIGKILL");
      expect(result).toMatchObject({ code: 5, timedOut: false });
      expect(result.stdout.toString()).toBe("whole");
    },
    20_000,
  );

  it("is killed when it prints without end", async () => {
    const result = await runChild("yes", [], { maximumOutput: 1024 * 1024 });
    expect(result.signal).toBe("SIGKILL");
    expect(result.stdout.length).toBeLessThanOrEqual(1024 * 1024);
  });

  it("that does not exist is an error that names it", async () => {
    expect(() => runChild("no-such-program", [])).toThrow(new ProgramMissing("no-such-program"));
    expect(() => runChild(path.join(folder, "nothing"), [])).toThrow(ProgramMissing);
  });
});

describe("when the process that started the children ends", () => {
  it.each(["SIGKILL", "SIGINT", "SIGTERM", "SIGHUP"] as const)("by %s, they end too", async (signal) => {
    const starter = startStarter();
    const child = await firstNumber(starter);
    starter.kill(signal);
    await untilGone(child);
  });

  it("because its own parent was killed, they end too", async () => {
    // The shell stands for the process that runs the command resource; it is killed, and signals nobody.
    const shell = startStarter((argv) => ["sh", "-c", '"$@"; exit $?', "sh", ...argv]);
    const child = await firstNumber(shell);
    shell.kill("SIGKILL");
    await untilGone(child);
  });
});

/** A process of its own that runs a child which prints its process id and sleeps. */
function startStarter(wrap: (argv: string[]) => string[] = (argv) => argv): ChildProcess {
  const program = path.join(folder, "starter.ts");
  const module = JSON.stringify(path.resolve("components/process/child-process"));
  fs.writeFileSync(
    program,
    `import { endWithParent, runChild } from ${module};
     endWithParent();
     const file = process.argv[2] ?? "";
     void runChild("sh", ["-c", 'echo $$ > "$1.new"; mv "$1.new" "$1"; sleep 600 & wait', "sh", file]);
    `,
  );
  const file = path.join(fs.mkdtempSync(path.join(folder, "run-")), "pid");
  const [command = "", ...argv] = wrap([process.execPath, path.resolve("components/start/run.mjs"), program, file]);
  const starter = spawn(command, argv, { stdio: ["ignore", "pipe", "inherit"] });
  pidFiles.set(starter, file);
  return starter;
}

const pidFiles = new Map<ChildProcess, string>();

async function firstNumber(starter: ChildProcess): Promise<number> {
  const file = pidFiles.get(starter) ?? "";
  await until(() => fs.existsSync(file), "the child writes its process id");
  return Number(fs.readFileSync(file, "utf8"));
}

async function untilGone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(1);
  await until(() => !isRunning(pid), `process ${pid} ends`);
}

/** A process that has ended but was not waited for by its new parent counts as gone. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
