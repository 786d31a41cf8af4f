import * as assert from "node:assert/strict";
import { RunFailed } from "./engine";
import type { Stage } from "./stage";
import { stageResources } from "./stage-resources";
import { expectChanges, sealedFiles, type Told, withConfig } from "./story-tools";

const DIAL = "sealed-onion:production";
const SEALERS = "sealed-onion:sealers";

/** `production` protects the vault, its key and the onion key; turning it back is all that it takes to destroy again. */
export async function keepProduction(stage: Stage): Promise<Told> {
  const { objectId } = stage.azure.workstation.principal;
  await withConfig(stage, { [DIAL]: "true", [SEALERS]: JSON.stringify([`servicePrincipal:${objectId}`]) });
  const marked = await stage.engine.up();
  expectChanges(marked, "update vault-vault"); // which nobody can purge from now on
  const before = { resources: stageResources(stage), sealed: sealedFiles(stage) };
  const refused: unknown = await stage.engine.destroy().catch((error: unknown) => error);
  assert.ok(refused instanceof RunFailed, "destroy was not refused");
  assert.match(refused.run.log, /cannot be deleted\s+because it is protected\. To unprotect the resource/);
  expectChanges(refused.run);
  assert.deepEqual({ resources: stageResources(stage), sealed: sealedFiles(stage) }, before);
  await withConfig(stage, { [DIAL]: "false", [SEALERS]: "[]" });
  const lifted = await stage.engine.up();
  expectChanges(lifted);
  return { runs: [marked, refused.run, lifted] };
}
