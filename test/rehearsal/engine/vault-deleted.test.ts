import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { openCommittedStage } from "./open-committed-stage";
import type { PulumiEngine } from "./pulumi";
import { refusal } from "./refusal";
import type { Stage } from "./stage";
import { onlyResource, stageResources, VAULT } from "./stage-resources";
import { commitSealed } from "./story-commits";
import { learnOnionKey, sealedFile } from "./story-tools";
import { skippedFor } from "./tools";

const skipped = skippedFor("sops", "pulumi", "git");

describe.skipIf(skipped)(`a vault that somebody deleted by hand${skipped}`, () => {
  const cleanup = new Cleanup();
  let stage: Stage<PulumiEngine>;
  beforeAll(async () => {
    stage = await openCommittedStage(cleanup);
  }, 600_000);
  afterAll(() => cleanup.run(), 60_000);

  /** What a person types. @returns what it says */
  function pulumi(...words: string[]): Promise<string> {
    const options = { cwd: stage.folder, env: stage.engine.environment, maxBuffer: 64 << 20 };
    const all = [...words, "--non-interactive", "--stack", stage.stack];
    return new Promise((resolve) => {
      execFile("pulumi", all, options, (_, stdout, stderr) => resolve(`${stdout}${stderr}`));
    });
  }

  it("and a refresh forgot: recovered, it opens what the next one is sealed for, and nothing is lost", async () => {
    const { onionHostname } = await stage.engine.outputs();
    const vault = onlyResource(stage, VAULT);
    stage.azure.cloud.remove(vault.id);
    await stage.engine.refresh();
    expect(await refusal(stage)).toMatch(/A vault with the same name already exists in deleted state/);

    expect(stage.azure.cloud.recoverVault(vault.name)).toBeDefined(); // az keyvault recover --name
    const moved = await pulumi("up", "--yes", "--skip-preview", "--replace", "**::vault-*-suffix");
    expect(moved).toMatch(/created replacement.*Resources:/s);
    commitSealed(stage);
    expect((await stage.engine.outputs()).onionHostname).toBe(onionHostname);
    expect(stageResources(stage, VAULT)).toHaveLength(2); // the one of before is nobody's now
    stage.azure.cloud.remove(vault.id);
    for (const secret of ["onion", "token"]) expect(sealedFile(stage, secret).toString()).not.toContain(vault.name);
    await learnOnionKey(stage);
    expect(await pulumi("preview", "--expect-no-changes")).toMatch(/unchanged/);
  }, 900_000);
});
