import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { filesInHead } from "../../../components/process/git-head";

describe("a git that does not say what HEAD has", () => {
  let folder = "";
  const before = process.env.PATH;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "git-"));
    process.env.PATH = `${folder}:${before}`;
  });
  afterEach(() => {
    process.env.PATH = before;
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["kill -9 $$", "git ended with SIGKILL and says nothing: see git status and git fsck"],
    ["exit 3", "git ended with 3 and says nothing: see git status and git fsck"],
    ["echo 'fatal: bad object HEAD.' >&2; exit 128", "git says fatal: bad object HEAD: see git status and git fsck"],
  ])("is never taken for one that has nothing: %s", async (script, reason) => {
    fs.writeFileSync(path.join(folder, "git"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await expect(filesInHead("nix/stacks")).rejects.toThrow(`cannot see what git's HEAD has: ${reason}`);
  });
});
