import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { privateFolder } from "../../../components/process/private-folder";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "private-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true });
});

it("lies in XDG_RUNTIME_DIR, for this user alone", () => {
  vi.stubEnv("XDG_RUNTIME_DIR", folder);
  expect(path.dirname(privateFolder())).toBe(folder);
  expect(fs.statSync(privateFolder()).mode & 0o777).toBe(0o700);
});

it.each(["there-is-none", "a-file/below", "a-file"])("lies elsewhere where XDG_RUNTIME_DIR is %s", (name) => {
  fs.writeFileSync(path.join(folder, "a-file"), "");
  vi.stubEnv("XDG_RUNTIME_DIR", path.join(folder, name));
  vi.stubEnv("TMPDIR", folder);
  expect(path.dirname(privateFolder())).toBe(folder);
  vi.stubEnv("TMPDIR", path.join(folder, name));
  expect(path.dirname(privateFolder())).toBe("/tmp");
});

it("is refused where others can enter it", () => {
  vi.stubEnv("XDG_RUNTIME_DIR", folder);
  fs.chmodSync(privateFolder(), 0o755);
  expect(privateFolder).toThrow(/^folder .* must be yours alone: chmod 700 /);
});
