import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { openStage } from "../engine/open-stage";
import type { Stage } from "../engine/stage";
import { searchState } from "../engine/story-tools";
import { skippedFor } from "../engine/tools";
import { fleetLife } from "./fleet-story";
import { type SpeakingMachines, speakForMachines } from "./speaking-machines";

/** One chapter a test: each goes on where the one before it ended. */
function tell(engine: "in-process" | "pulumi"): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  let speaking: SpeakingMachines;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), engine);
    speaking = speakForMachines(stage.azure, stage.folder, stage.stack);
    cleanup.add(() => speaking.close());
  }, 120_000);
  afterAll(() => cleanup.run(), 60_000);

  it.each(fleetLife)(
    "%s",
    async (_, chapter) => {
      const { runs } = await chapter(stage, speaking);
      expect(runs.length).toBeGreaterThan(0);
      await searchState(stage, runs);
    },
    600_000,
  );
}

const alone = skippedFor("sops");
describe.skipIf(alone)(`a fleet's life under the engine in process${alone}`, () => tell("in-process"));
const both = skippedFor("sops", "pulumi");
describe.skipIf(both)(`a fleet's life under Pulumi's own engine${both}`, () => tell("pulumi"));
