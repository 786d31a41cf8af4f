import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const SEALED = "nix/stacks/dev/token.sops.json";
const RECORD = "nix/stacks/dev/token.seal.json";
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "attributes-"));
  fs.copyFileSync(".gitattributes", path.join(folder, ".gitattributes"));
  git("init", "-q", "-b", "main");
  for (const [name, value] of [
    ["user.name", "test"],
    ["user.email", "test@example.org"],
    ["core.autocrlf", "true"],
  ] as const)
    git("config", name, value);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function git(...argv: string[]): string {
  return execFileSync("git", argv, { cwd: folder, encoding: "utf8" });
}

function commit(files: Record<string, string>): void {
  for (const [file, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), content);
  }
  git("add", "-A");
  git("commit", "-q", "-m", "seal");
}

const read = (file: string) => fs.readFileSync(path.join(folder, file), "utf8");
const lines = (...some: string[]) => `{\n${some.map((line) => `  "${line}": 1`).join(",\n")}\n}\n`;

it("a checkout keeps every byte, also where git turns line endings", () => {
  commit({ [SEALED]: lines("a", "b"), [RECORD]: lines("a", "b"), other: "a\nb\n" });
  for (const file of [SEALED, RECORD, "other"]) fs.rmSync(path.join(folder, file));
  git("checkout", "-q", "--", ".");
  expect(read("other")).toBe("a\r\nb\r\n");
  expect(read(SEALED)).toBe(lines("a", "b"));
  expect(read(RECORD)).toBe(lines("a", "b"));
});

it("a merge of two seals is a conflict, and leaves whole files of one side", () => {
  const [base, theirs, ours] = [lines("a", "b", "c", "d"), lines("x", "b", "c", "d"), lines("a", "b", "c", "y")];
  commit({ [SEALED]: base, [RECORD]: base });
  git("checkout", "-q", "-b", "theirs");
  commit({ [SEALED]: theirs, [RECORD]: theirs });
  git("checkout", "-q", "main");
  commit({ [SEALED]: ours, [RECORD]: ours });
  expect(spawnSync("git", ["merge", "theirs"], { cwd: folder }).status).toBe(1);
  expect([read(SEALED), read(RECORD)]).toEqual([ours, ours]);
});
