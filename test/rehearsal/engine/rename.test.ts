import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { openStage } from "./open-stage";
import type { PulumiEngine } from "./pulumi";
import type { Stage } from "./stage";
import { stageResources, VAULT } from "./stage-resources";
import { beginHistory, commitSealed } from "./story-commits";
import { skippedFor } from "./tools";

const skipped = skippedFor("sops", "pulumi", "git");

describe.skipIf(skipped)(`pulumi stack rename${skipped}`, () => {
  const cleanup = new Cleanup();
  let stage: Stage<PulumiEngine>;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), "pulumi");
    await stage.engine.up();
    beginHistory(stage);
  }, 600_000);
  afterAll(() => cleanup.run(), 60_000);

  /** Anything of the CLI, which the Automation API does not offer for a stack that changes its name. */
  function pulumi(...words: string[]): Promise<{ isWell: boolean; text: string }> {
    const options = { cwd: stage.folder, env: stage.engine.environment, maxBuffer: 64 << 20 };
    return new Promise((resolve) => {
      execFile("pulumi", [...words, "--non-interactive"], options, (error, stdout, stderr) =>
        resolve({ isWell: error === null, text: `${stdout}${stderr}` }),
      );
    });
  }

  const up = () => pulumi("up", "--yes", "--skip-preview", "--suppress-progress", "--stack", "renamed");

  it("is an ordinary up: the address stays, the old vault goes only once git has what the new one opens", async () => {
    const { onionHostname } = await stage.engine.outputs();
    const old = { ...stage };
    expect(await pulumi("stack", "rename", "renamed", "--stack", stage.stack)).toMatchObject({ isWell: true });
    const first = await up();
    expect(first.isWell).toBe(false);
    expect(first.text).toMatch(
      /vault so-story-\w+ stays, it alone opens .*nix\/stacks\/story\/onion.sops.json.* as committed: type git add/,
    );
    expect(stageResources(old, VAULT)).toHaveLength(1);
    expect(fs.existsSync(path.join(stage.folder, "nix/stacks/story"))).toBe(false);

    commitSealed(stage);
    const second = await up();
    expect(second, second.text).toMatchObject({ isWell: true });
    expect(stageResources(old)).toEqual([]);
    expect(stageResources({ ...stage, stack: "renamed" }, VAULT)).toHaveLength(1);
    const outputs = await pulumi("stack", "output", "onionHostname", "--stack", "renamed");
    expect(outputs.text.trim()).toBe(onionHostname);
    const third = await pulumi("preview", "--expect-no-changes", "--stack", "renamed");
    expect(third, third.text).toMatchObject({ isWell: true });
  }, 900_000);
});
