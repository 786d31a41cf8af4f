import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { openStage } from "./open-stage";
import type { Stage } from "./stage";
import { life } from "./story-chapters";
import { searchState } from "./story-tools";
import { skippedFor } from "./tools";

/** One chapter a test: each goes on where the one before it ended. */
function tell(engine: "in-process" | "pulumi"): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), engine);
  }, 120_000);
  afterAll(() => cleanup.run(), 60_000);

  it.each(life)(
    "%s",
    async (_, chapter) => {
      const { runs } = await chapter(stage);
      expect(runs.length).toBeGreaterThan(0);
      await searchState(stage, runs);
    },
    600_000,
  );
}

const alone = skippedFor("sops");
describe.skipIf(alone)(`a stack's life under the engine in process${alone}`, () => tell("in-process"));
const both = skippedFor("sops", "pulumi");
describe.skipIf(both)(`a stack's life under Pulumi's own engine${both}`, () => tell("pulumi"));
