import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

/** A program that logs in late and stores at once, and says how many files of Azure's packages it has loaded. */
const program = `import Module from "node:module";
import { isRestError } from "@azure/core-rest-pipeline";
import { RestError } from "@azure/storage-blob";
async function main() {
  require.resolve("@azure/identity");
  const { ClientSecretCredential } = await import("@azure/identity");
  const files = Object.keys((Module as never as { _cache: object })._cache).filter((file) => file.includes("/@azure/"));
  console.log(new ClientSecretCredential("a", "b", "c").constructor.name, isRestError(new RestError("x")), files.length > 0);
}
void main();
`;
let project: string;
const inProject = (...names: string[]) => path.join(project, ...names);
const run = () =>
  execFileSync(process.execPath, [inProject("components/start/run.mjs"), "late.ts"], { encoding: "utf8" });
const onlyFile = () => inProject("node_modules", ".cache", "sealed-onion", "azure.cjs");

beforeEach(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), "azure-packages-"));
  fs.cpSync("components/start", inProject("components/start"), { recursive: true });
  fs.writeFileSync(inProject("late.ts"), program);
  fs.mkdirSync(inProject("node_modules"));
  for (const name of ["@azure", "esbuild"]) {
    fs.symlinkSync(fs.realpathSync(path.join("node_modules", name)), inProject("node_modules", name));
  }
});
afterEach(() => fs.rmSync(project, { recursive: true, force: true }));

it("Azure's packages come from one file, which is made once for each installation", () => {
  const installed = inProject("node_modules", ".package-lock.json");
  fs.writeFileSync(installed, "first");
  expect(run()).toBe("ClientSecretCredential true false\n");
  const { ino } = fs.statSync(onlyFile());
  expect(run()).toBe("ClientSecretCredential true false\n");
  expect(fs.statSync(onlyFile()).ino).toBe(ino);
  fs.writeFileSync(installed, "second");
  expect(run()).toBe("ClientSecretCredential true false\n");
  expect(fs.statSync(onlyFile()).ino).not.toBe(ino);
});

it("they come from their own files where npm did not install them, or the one file cannot be written", () => {
  expect(run()).toBe("ClientSecretCredential true true\n");
  expect(fs.existsSync(onlyFile())).toBe(false);
  fs.writeFileSync(inProject("node_modules", ".package-lock.json"), "first");
  fs.writeFileSync(inProject("node_modules", ".cache"), "no folder");
  expect(run()).toBe("ClientSecretCredential true true\n");
});

it("a file that others could have written is made again, not run", () => {
  fs.writeFileSync(inProject("node_modules", ".package-lock.json"), "first");
  run();
  fs.writeFileSync(onlyFile(), 'throw new Error("foreign");');
  fs.chmodSync(onlyFile(), 0o666);
  expect(run()).toBe("ClientSecretCredential true false\n");
});

it("its compiled code is kept, and only what is whole, ours and of this file is run", () => {
  const installed = inProject("node_modules", ".package-lock.json");
  const code = `${onlyFile()}.v8`;
  const state = () => ({ ino: fs.statSync(code).ino, mode: fs.statSync(code).mode & 0o777 });
  fs.writeFileSync(installed, "first");
  run();
  const first = state();
  run();
  expect(state()).toEqual(first);

  const spoilings = [
    () => fs.writeFileSync(code, ""),
    () => fs.writeFileSync(code, fs.readFileSync(code).fill(0, 5000, 6000)),
    () => fs.chmodSync(code, 0o666),
    () => fs.writeFileSync(installed, "second"),
  ];
  for (const spoil of spoilings) {
    spoil();
    const before = state();
    expect(run()).toBe("ClientSecretCredential true false\n");
    expect(state().ino).not.toBe(before.ino);
    expect(state().mode).toBe(0o644);
  }
});
