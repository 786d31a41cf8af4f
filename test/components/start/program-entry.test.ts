import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it } from "vitest";

const { exports: exported, main } = JSON.parse(fs.readFileSync("package.json", "utf8"));

/**
 * An `exports` comes before `main`, and its conditions in this order: the rule of Pulumi's runner. A library that npm pack
 * left behind has no resource: as the program it would have everything deleted.
 */
it("Pulumi starts the program, and not the library that npm pack makes beside it", () => {
  const runner = fs.readFileSync(path.join("node_modules", "@pulumi", "pulumi", "cmd", "run", "run.js"), "utf8");
  expect(runner).toContain("mainExport.default || mainExport.require || mainExport.import");
  expect(exported["."].default).toBe("./components/start/program.cjs");
  expect(path.normalize(exported["."].default)).toBe(path.normalize(main));
});

it("what another program imports is the library", () => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "entry-")));
  try {
    fs.copyFileSync("package.json", path.join(folder, "package.json"));
    const library = path.join(folder, "dist", "index.cjs");
    fs.mkdirSync(path.dirname(library));
    fs.writeFileSync(library, "");
    const ask = (...words: string[]) =>
      execFileSync(process.execPath, words, { cwd: folder, encoding: "utf8" }).replace("file://", "").trim();
    expect(ask("-p", 'require.resolve("sealed-onion")')).toBe(library);
    expect(ask("--input-type=module", "-e", 'console.log(import.meta.resolve("sealed-onion"))')).toBe(library);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
