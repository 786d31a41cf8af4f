import { execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** A project with the real loader, and a program of its own. */
let project: string;
const inProject = (...names: string[]) => path.join(project, ...names);
const bundleOf = (entry: string): string =>
  (createRequire(inProject("x.js"))("./components/start/bundle.cjs") as { bundleOf(entry: string): string }).bundleOf(
    entry,
  );
const run = (file: string) => execFileSync(process.execPath, [file], { encoding: "utf8" });
const mode = (file: string) => fs.statSync(file).mode & 0o777;
const start = (program: string, shell = "exec", options: { env?: NodeJS.ProcessEnv; input?: string } = {}) =>
  spawnSync("sh", ["-c", `${shell} ${process.execPath} components/start/run.mjs ${program}`], {
    cwd: project,
    encoding: "utf8",
    ...options,
  });

beforeAll(() => {
  project = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "bundle-")));
  fs.mkdirSync(inProject("components"));
  fs.cpSync("components/start", inProject("components/start"), { recursive: true });
  fs.symlinkSync(path.resolve("node_modules"), inProject("node_modules"));
  fs.writeFileSync(inProject("word.ts"), 'export const word: string = "one";\n');
  fs.writeFileSync(inProject("program.ts"), 'import { word } from "./word";\nconsole.log(word);\n');
});
afterAll(() => fs.rmSync(project, { recursive: true, force: true }));

describe("a bundle", () => {
  it("is made again when a source says something else, its size and time being the same", () => {
    expect(run(bundleOf("program.ts"))).toBe("one\n");
    const { atime, mtime } = fs.statSync(inProject("word.ts"));
    fs.writeFileSync(inProject("word.ts"), 'export const word: string = "two";\n');
    fs.utimesSync(inProject("word.ts"), atime, mtime);
    expect(run(bundleOf("program.ts"))).toBe("two\n");
  });

  it("is left alone while its sources say the same, however often they are saved", () => {
    const { mtimeMs } = fs.statSync(bundleOf("program.ts"));
    fs.writeFileSync(inProject("word.ts"), fs.readFileSync(inProject("word.ts")));
    expect(fs.statSync(bundleOf("program.ts")).mtimeMs).toBe(mtimeMs);
  });

  it("is what its sources said last, if one is saved while it is made", () => {
    // esbuild in this project writes a source once more as soon as it has read all.
    const require = createRequire(inProject("x.js"));
    const esbuild = require("esbuild") as { buildSync: (options: object) => object };
    const real = esbuild.buildSync;
    let isSaved = false;
    const once = (options: object) => {
      const result = real(options);
      if (!isSaved) fs.writeFileSync(inProject("word.ts"), 'export const word: string = "late";\n');
      isSaved = true;
      return result;
    };
    fs.writeFileSync(inProject("word.ts"), 'export const word: string = "soon";\n');
    const cached = require.cache[require.resolve("esbuild")];
    if (cached) cached.exports = { ...esbuild, buildSync: once };
    const bundle = bundleOf("program.ts");
    if (cached) cached.exports = esbuild;
    expect(run(bundle)).toBe("late\n");
    expect(run(bundleOf("program.ts"))).toBe("late\n");
  });

  it("can be written by nobody else, whatever the umask, and is not run if somebody could have", () => {
    fs.rmSync(inProject(".cache"), { recursive: true });
    expect(start("program.ts", "umask 000; exec")).toMatchObject({ status: 0, stdout: "late\n" });
    const bundle = bundleOf("program.ts");
    for (const file of [bundle, path.dirname(bundle), inProject(".cache")]) expect(mode(file) & 0o022).toBe(0);
    fs.writeFileSync(bundle, 'console.log("foreign");');
    fs.chmodSync(bundle, 0o666);
    fs.chmodSync(path.dirname(bundle), 0o777);
    expect(start("program.ts").stdout).toBe("late\n");
    expect(mode(bundle)).toBe(0o644);
    expect(mode(path.dirname(bundle))).toBe(0o755);
  });

  it("that cannot be written is a line with the folder, the reason and what is safe", () => {
    fs.rmSync(inProject(".cache"), { recursive: true });
    fs.writeFileSync(inProject(".cache"), "");
    const run = start("program.ts");
    fs.rmSync(inProject(".cache"));
    expect(run).toMatchObject({ status: 1, stdout: "" });
    expect(run.stderr).toMatch(
      /^cannot write .*\.cache\/run, a part of its path is no folder: .* \(nothing was changed\)\n$/,
    );
  });

  it("of a source that does not parse is esbuild's own words, without a stack", () => {
    fs.writeFileSync(inProject("torn.ts"), "const = ;\n");
    const { status, stderr } = start("torn.ts");
    expect(status).toBe(1);
    expect(stderr).toContain("torn.ts:1:6: ERROR:");
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe.skipIf(process.platform !== "linux")("a program (on Linux)", () => {
  const marker = ["PLAIN", "TEXT", "MARKER"].join("-");

  it("and what it starts have no memory in a core, however cores are taken", () => {
    fs.writeFileSync(
      inProject("filter.ts"),
      `import { spawnSync } from "node:child_process";
       spawnSync("cat", ["/proc/self/coredump_filter"], { stdio: "inherit" });`,
    );
    expect(start("filter.ts").stdout).toBe("00000000\n");
  });

  const pattern = process.platform === "linux" ? fs.readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim() : "";
  const why = /^[\w.%]+$/.test(pattern) ? "" : ` (skipped: cores go to ${pattern}, not to a file here)`;
  it.skipIf(why !== "")(`that crashes leaves no plaintext${why}`, () => {
    fs.writeFileSync(
      inProject("crash.ts"),
      `const kept = [1, 2, 3].map((part) => Buffer.from(["PLAIN", "TEXT", "MARKER"].join("-").repeat(part * 1000)));
       process.kill(process.pid, "SIGABRT"); setTimeout(() => console.log(kept.length), 60_000);`,
    );
    const crash = start("crash.ts", "ulimit -c unlimited; exec");
    expect(crash.status).not.toBe(0);
    const cores = fs.readdirSync(project).filter((name) => name.startsWith("core"));
    for (const core of cores) {
      expect(fs.readFileSync(inProject(core)).includes(marker)).toBe(false);
      fs.rmSync(inProject(core));
    }
  });

  it("ends by Ctrl-\\ without a core, and what it has started with it", async () => {
    fs.writeFileSync(
      inProject("wait.ts"),
      `import { endWithParent, runChild } from ${JSON.stringify(path.resolve("components/process/child-process"))};
       endWithParent();
       void runChild("sh", ["-c", "echo $$ >&2; exec sleep 600"], { stderr: "inherit" });`,
    );
    const child = spawn(
      "sh",
      ["-c", `ulimit -c unlimited; exec ${process.execPath} components/start/run.mjs wait.ts`],
      {
        cwd: project,
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    const pid = await new Promise<number>((resolve) => child.stderr.once("data", (text) => resolve(Number(text))));
    child.kill("SIGQUIT");
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(131);
    expect(fs.readdirSync(project).filter((name) => name.startsWith("core."))).toEqual([]);
    await expect.poll(() => fs.existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
  });
});
