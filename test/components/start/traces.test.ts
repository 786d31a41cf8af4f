import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";

let folder = "";

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "traces-"));
  const source = path.join(folder, "program.ts");
  fs.writeFileSync(
    source,
    `interface Padding { readonly line: string }

function fail(): never {
  const cause = new TypeError("the cause");
  throw Object.assign(new RangeError("first line\\nsecond line", { cause }), { name: "OwnName" });
}

export function both(): string[] {
  return [1, 2].map(() => {
    try {
      fail();
    } catch (error) {
      return (error as Error).stack ?? "";
    }
  });
}
`,
  );
  const outfile = path.join(folder, "program.cjs");
  buildSync({ entryPoints: [source], outfile, bundle: true, platform: "node", format: "cjs", sourcemap: "inline" });
});

afterAll(() => fs.rmSync(folder, { recursive: true }));

/** The stacks of one error thrown twice, with Pulumi's own formatter or with ours around it. */
function stacksWith(wrap: string): string[] {
  const text = `
    require("source-map-support").install();
    const bundle = require("node:path").resolve(process.argv[1]);
    ${wrap}
    console.log(JSON.stringify(require(bundle).both()));
  `;
  return JSON.parse(
    execFileSync(process.execPath, ["-e", text, path.join(folder, "program.cjs")], { encoding: "utf8" }),
  );
}

it("a trace names the error, its message of two lines and the places in TypeScript, the second time too", () => {
  const traces = JSON.stringify(path.resolve("components/start/traces.cjs"));
  const wrap = `Error.prepareStackTrace = require(${traces}).mapOnce(Error.prepareStackTrace, bundle);`;
  const [first = "", second = ""] = stacksWith(wrap);
  const own = (stack: string) => stack.split("\n").filter((line) => line.includes("program.ts:"));
  expect(first.split("\n").slice(0, 2)).toEqual(["OwnName: first line", "second line"]);
  expect(own(first)[0]).toMatch(/ at fail \(.*program\.ts:5:23\)$/);
  expect(own(second)).toEqual(own(first));
  expect(own(first)).toEqual(own(stacksWith("")[0] ?? ""));
});
