import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { Cleanup } from "./cleanup";
import type { Folders } from "./folders";
import { makeRecovery } from "./start-parts";
import { Steps } from "./steps";

let folder: string;
let cleanup: Cleanup;
let printed: string;
const { PATH } = process.env;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "recovery-"));
  cleanup = new Cleanup();
  printed = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.env.PATH = PATH;
  await cleanup.run();
  fs.rmSync(folder, { recursive: true });
});

/** A PATH with these programs alone. */
function only(...tools: string[]): void {
  for (const tool of tools) fs.symlinkSync(findOnPath(tool) ?? "", path.join(folder, tool));
  process.env.PATH = folder;
}

it("without age, ssh-keygen and gpg nothing is ticked, and the report says what was skipped", async () => {
  only();
  const steps = new Steps();
  expect(await makeRecovery(steps, { sources: folder } as Folders, cleanup)).toEqual([]);
  expect(printed).not.toContain("✓");
  const name = "skipped: recovery keys, besides the vault";
  expect(steps.skipped()).toEqual([
    `${name}: no age recipient, age-keygen is not on PATH`,
    `${name}: no ssh recipient, ssh-keygen is not on PATH`,
    `${name}: no pgp recipient, gpg is not on PATH`,
  ]);
});

it.skipIf(!findOnPath("age-keygen"))("with age alone the tick says age, and the others are skipped", async () => {
  const age = findOnPath("age-keygen");
  only("age-keygen");
  expect(age).toBeDefined();
  const steps = new Steps();
  const made = await makeRecovery(steps, { sources: folder } as Folders, cleanup);
  expect(made.map(({ kind }) => kind)).toEqual(["age"]);
  expect(printed).toMatch(/^✓ recovery keys, besides the vault .+ s {2}age$/m);
  expect(steps.skipped()).toHaveLength(2);
});
