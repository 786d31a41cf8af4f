import * as assert from "node:assert/strict";
import { RunFailed } from "./engine";
import type { Stage } from "./stage";

/** The log of an update that must be refused. */
export async function refusal({ engine }: Pick<Stage, "engine">): Promise<string> {
  const refused: unknown = await engine.up().catch((error: unknown) => error);
  assert.ok(refused instanceof RunFailed, "the update was not refused");
  return refused.run.log;
}
