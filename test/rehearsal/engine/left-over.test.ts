import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { changesOf } from "./engine";
import { openStage } from "./open-stage";
import type { PulumiEngine } from "./pulumi";
import { refusal } from "./refusal";
import type { Stage } from "./stage";
import { canSeeProcesses } from "./started-processes";
import { everythingEnds, giveUpLock, startUp } from "./story-interruptions";
import { skippedFor } from "./tools";

const skipped = skippedFor("sops", "pulumi") || (canSeeProcesses ? "" : " (skipped: this system has no /proc)");

/** In the order in which they are made; a machine and what is made for it: killed-up.test.ts. */
const made = ["vault-group", "vault-vault"];

describe.skipIf(skipped)(`the first pulumi up, killed as Azure makes something${skipped}`, () => {
  const cleanup = new Cleanup();
  let stage: Stage<PulumiEngine>;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), "pulumi");
  }, 300_000);
  afterAll(() => cleanup.run(), 60_000);

  async function killAt(name: string): Promise<void> {
    const held = stage.faults.hold({ operation: "create", name, afterwards: true });
    const up = startUp(stage);
    try {
      await Promise.race([held.reached, up.ended.then(() => Promise.reject(new Error(`up has ended:\n${up.text()}`)))]);
    } finally {
      up.strike("SIGKILL");
      await up.ended;
      await everythingEnds(stage, "SIGKILL");
      held.release();
    }
    await giveUpLock(stage);
  }

  /** As failures.md says. A deleted vault would keep its name: it gets another one, and nothing is sealed for it yet. */
  async function clearAway(name: string, id: string): Promise<void> {
    if (name !== "vault-vault") {
      expect(stage.azure.cloud.remove(id)).not.toEqual([]);
      return;
    }
    const rest = ["--yes", "--skip-preview", "--non-interactive", "--stack", stage.stack];
    const options = { cwd: stage.folder, env: stage.engine.environment, maxBuffer: 1 << 26 };
    await promisify(execFile)(
      "pulumi",
      ["up", "--replace", `**::vault-${stage.stack}-westeurope-suffix`, ...rest],
      options,
    );
    expect(stage.azure.cloud.remove(id)).not.toEqual([]);
  }

  it.each(made)(
    "%s: up names it with its id, and goes on once that is cleared away",
    async (name) => {
      await killAt(name);
      const [, id = ""] = /cannot create already existing resource '([^']+)'/.exec(await refusal(stage)) ?? [];
      expect(id).toMatch(/^\/subscriptions\//);
      await clearAway(name, id);
    },
    600_000,
  );

  it("ends with all that was made, and nothing twice", async () => {
    await stage.engine.up();
    expect(changesOf(await stage.engine.up())).toEqual([]);
    const count = (type: string) => stage.azure.cloud.list({ type }).length;
    expect(["Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts"].map(count)).toEqual([1, 1]);
  }, 600_000);
});
