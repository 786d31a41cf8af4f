import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { changesOf } from "./engine";
import { openStage } from "./open-stage";
import type { PulumiEngine } from "./pulumi";
import type { Stage } from "./stage";
import { canSeeProcesses } from "./started-processes";
import { type Blow, interrupt, type Moment, STILL_TO_DO } from "./story-interruptions";
import { searchState } from "./story-tools";
import { skippedFor } from "./tools";

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
