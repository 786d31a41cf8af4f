import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { RunFailed } from "./engine";
import { openCommittedStage } from "./open-committed-stage";
import type { PulumiEngine } from "./pulumi";
import type { Stage } from "./stage";
import { stageResources, VAULT } from "./stage-resources";
import { canSeeProcesses } from "./started-processes";
import { commitSealed } from "./story-commits";
import { type Blow, giveUpLock, type Held, isKill, type Moment, PROGRAMS, strikeAndWatch } from "./story-interruptions";
import { searchState, withConfig } from "./story-tools";
import { skippedFor } from "./tools";

const skipped = skippedFor("sops", "pulumi", "git") || (canSeeProcesses ? "" : " (skipped: this system has no /proc)");
const MACHINE = "Microsoft.Compute/virtualMachines";

describe.skipIf(skipped)(`a move of region under Pulumi's own engine, interrupted${skipped}`, () => {
  const cleanup = new Cleanup();
  let stage: Stage<PulumiEngine>;
  beforeAll(async () => {
    stage = await openCommittedStage(cleanup);
  }, 600_000);
  afterAll(() => cleanup.run(), 60_000);

  /** A step of the new place that hangs: neither its vault nor its account has a name yet. */
  function hold(moment: Exclude<Moment, "build">): Held {
    const effect = { kind: "hang" } as const;
    const rule =
      moment === "seal"
        ? { host: ".vault.azure.net", path: "/keys/", effect }
        : { host: ".blob.core.windows.net", method: "PUT", path: /comp=page/, effect };
    const fault = stage.azure.faults.add(rule);
    return { program: PROGRAMS[moment], reached: () => fault.hits > 0, release: async () => fault.remove() };
  }

  it.each<[Blow, Exclude<Moment, "build">]>([
    ["SIGINT", "seal"],
    ["kill -9 of the job", "seal"],
    ["SIGINT", "upload"],
    ["SIGKILL", "upload"],
    ["kill -9 of the job", "upload"],
  ])(
    "by %s while it is at: %s, goes on to its end",
    async (blow, moment) => {
      const region = stage.config["azure-native:location"] === "westeurope" ? "northeurope" : "westeurope";
      const { onionHostname } = await stage.engine.outputs();
      const old = { ...stage, config: { ...stage.config } };
      await withConfig(stage, { "azure-native:location": region });
      const held = hold(moment);
      try {
        await strikeAndWatch(stage, moment, blow, held);
      } finally {
        await held.release();
      }
      expect(stageResources(old, MACHINE), "the old machine serves").toHaveLength(1);
      expect(stageResources(old, VAULT), "the old vault is there").toHaveLength(1);

      if (isKill(blow)) await giveUpLock(stage);
      const guarded: unknown = await stage.engine.up().catch((error: unknown) => error);
      const { run } = guarded as RunFailed;
      expect(guarded).toBeInstanceOf(RunFailed);
      expect(run.log).toMatch(/-guard.* stays, .* as committed: type git add/s);
      expect(stageResources(old, VAULT)).toHaveLength(1);
      commitSealed(stage);
      const last = await stage.engine.up();
      expect(stageResources(old)).toEqual([]);
      expect(stageResources(stage, MACHINE)).toHaveLength(1);
      expect((await stage.engine.outputs()).onionHostname).toBe(onionHostname);
      await searchState(stage, [run, last]);
    },
    900_000,
  );
});
