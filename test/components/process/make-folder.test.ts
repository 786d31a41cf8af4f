import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { afterAll, expect, it } from "vitest";
import { makeFolder } from "../../../components/process/on-disk";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "make-folder-"));
afterAll(() => fs.rmSync(root, { recursive: true }));

it("makes a folder and those above it, a second time too", () => {
  const folder = path.join(root, "a", "b");
  makeFolder(folder);
  makeFolder(folder);
  expect(fs.statSync(folder).isDirectory()).toBe(true);
});

it("ends in words where the working folder is deleted meanwhile, and makes it not again", () => {
  const outfile = path.join(root, "make-folder.cjs");
  buildSync({ entryPoints: ["components/process/on-disk.ts"], outfile, bundle: true, platform: "node", format: "cjs" });
  const gone = path.join(root, "gone");
  fs.mkdirSync(gone);
  const program = `
    process.cwd();
    require("node:fs").rmdirSync(process.argv[1]);
    try { require(process.argv[2]).makeFolder("x/y"); } catch (error) { console.log(error.message); }
  `;
  const { stdout, signal } = spawnSync(process.execPath, ["-e", program, gone, outfile], {
    cwd: gone,
    encoding: "utf8",
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  expect({ signal, stdout }).toEqual({
    signal: null,
    stdout: "the folder that this program works in was deleted: start it again in one that is there\n",
  });
  expect(fs.existsSync(gone)).toBe(false);
});
