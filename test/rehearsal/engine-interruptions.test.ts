import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../../rehearsal/cleanup";
import { changesOf } from "../../rehearsal/engine/engine";
import { openStage } from "../../rehearsal/engine/open-stage";
import type { PulumiEngine } from "../../rehearsal/engine/pulumi";
import type { Stage } from "../../rehearsal/engine/stage";
import { canSeeProcesses } from "../../rehearsal/engine/started-processes";
import { type Blow, interrupt, type Moment, STILL_TO_DO } from "../../rehearsal/engine/story-interruptions";
import { searchState } from "../../rehearsal/engine/story-tools";
import { skippedFor } from "./engine-tools";

const skipped = skippedFor("sops", "pulumi") || (canSeeProcesses ? "" : " (skipped: this system has no /proc)");

const blows: [Blow, Moment][] = [
  ["SIGINT", "seal"],
  ["SIGKILL", "seal"],
  ["SIGINT", "build"],
  ["Ctrl-C", "build"],
  ["SIGKILL", "build"],
  ["SIGINT", "upload"],
  ["SIGKILL", "upload"],
];

describe.skipIf(skipped)(
  `pulumi up, interrupted: no process and no lease is left, the next one goes on${skipped}`,
  () => {
    const cleanup = new Cleanup();
    let stage: Stage<PulumiEngine>;
    beforeAll(async () => {
      stage = await openStage(cleanup, process.cwd(), "pulumi");
      await stage.engine.up();
    }, 300_000);
    afterAll(() => cleanup.run(), 60_000);

    it.each(blows)(
      "%s while it is at: %s",
      async (blow, moment) => {
        const [next, oneMore] = await interrupt(stage, moment, blow);
        expect(changesOf(next)).toEqual([...STILL_TO_DO[moment]].sort());
        expect(changesOf(oneMore)).toEqual([]);
        await searchState(stage, [next, oneMore]);
      },
      600_000,
    );
  },
);
