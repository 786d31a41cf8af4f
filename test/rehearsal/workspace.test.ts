import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, expect, it } from "vitest";
import programs from "../../components/start/programs.json";
import { copyProgram } from "./workspace";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "workspace-"));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

it("a copy of the program has its own bundle and those of its programs, and makes one again when a source is another", () => {
  copyProgram(process.cwd(), folder);
  const { bundleOf } = createRequire(path.join(folder, "package.json"))("./components/start/bundle.cjs");
  const bundle = path.join(folder, ".cache", "run", `${programs.seal.replaceAll("/", "-")}.cjs`);
  const before = fs.statSync(bundle).ino;
  expect(bundleOf(programs.seal)).toBe(bundle);
  expect(fs.existsSync(path.join(folder, ".cache", "run", "index.ts.cjs"))).toBe(true);
  expect(fs.statSync(bundle).ino).toBe(before);
  fs.appendFileSync(path.join(folder, programs.seal), "\nconsole.log('another');\n");
  expect(fs.readFileSync(bundleOf(programs.seal), "utf8")).toContain("another");
  expect(fs.statSync(bundle).ino).not.toBe(before);
});
