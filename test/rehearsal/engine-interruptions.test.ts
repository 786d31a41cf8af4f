import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../../rehearsal/cleanup";
import { openStage } from "../../rehearsal/engine/open-stage";
import type { PulumiEngine } from "../../rehearsal/engine/pulumi";
import type { Stage } from "../../rehearsal/engine/stage";
import { type Blow, canSeeProcesses, interrupt, type Moment } from "../../rehearsal/engine/story-interruptions";
import { skippedFor } from "./engine-tools";

const skipped = skippedFor("sops", "pulumi") || (canSeeProcesses ? "" : " (skipped: this system has no /proc)");

const blows: [Blow, Moment][] = [
  ["SIGINT", "seal"],
  ["SIGKILL", "seal"],
  ["SIGINT", "build"],
  ["SIGKILL", "build"],
  ["SIGINT", "upload"],
  ["SIGKILL", "upload"],
];

describe.skipIf(skipped)(`pulumi up, interrupted: no process is left, the next one goes on${skipped}`, () => {
  const cleanup = new Cleanup();
  let stage: Stage<PulumiEngine>;
  beforeAll(async () => {
    stage = (await openStage(cleanup, process.cwd(), "pulumi")) as Stage<PulumiEngine>;
    await stage.engine.up();
  }, 300_000);
  afterAll(() => cleanup.run(), 60_000);

  it.each(blows)(
    "%s while it is at: %s",
    async (blow, moment) => {
      await interrupt(stage, moment, blow);
      expect(stage.azure.faults).toBeDefined();
    },
    600_000,
  );
});
