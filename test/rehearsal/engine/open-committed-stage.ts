import type { Cleanup } from "../cleanup";
import { openStage } from "./open-stage";
import type { PulumiEngine } from "./pulumi";
import type { Stage } from "./stage";
import { beginHistory } from "./story-commits";
import { learnOnionKey } from "./story-tools";

/** A stack under Pulumi's own engine after its first update, with what is sealed committed. */
export async function openCommittedStage(cleanup: Cleanup): Promise<Stage<PulumiEngine>> {
  const stage = await openStage(cleanup, process.cwd(), "pulumi");
  await stage.engine.up();
  await learnOnionKey(stage);
  beginHistory(stage);
  return stage;
}
