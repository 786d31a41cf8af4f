import * as assert from "node:assert/strict";
import { type EngineRun, RunFailed } from "./engine";
import type { Stage } from "./stage";
import { stageResources } from "./stage-resources";
import { expectChanges, sealedFiles, type Told, withConfig } from "./story-tools";

const DIAL = "sealed-onion:production";
const SEALERS = "sealed-onion:sealers";
const NETWORK = "sealed-onion:network";

/**
 * `production` asks who seals and from where, before anything is touched; it protects the vault, its key and the onion key;
 * turning it back is all that it takes to destroy again.
 */
export async function keepProduction(stage: Stage): Promise<Told> {
  const { objectId } = stage.azure.workstation.principal;
  await withConfig(stage, { [DIAL]: "true" });
  const asked = await refused(stage.engine.up());
  assert.match(asked.log, /sealers must name somebody where production is true/);
  assert.match(asked.log, /network must say who reaches vault and account where production is true/);
  expectChanges(asked);
  await withConfig(stage, {
    [SEALERS]: JSON.stringify([`servicePrincipal:${objectId}`]),
    [NETWORK]: JSON.stringify({ allow: "everybody" }),
  });
  const marked = await stage.engine.up();
  expectChanges(marked, "update vault-vault"); // which nobody can purge from now on
  const before = { resources: stageResources(stage), sealed: sealedFiles(stage) };
  const kept = await refused(stage.engine.destroy());
  assert.match(kept.log, /cannot be deleted\s+because it is protected\. To unprotect the resource/);
  expectChanges(kept);
  assert.deepEqual({ resources: stageResources(stage), sealed: sealedFiles(stage) }, before);
  await withConfig(stage, { [DIAL]: "false", [SEALERS]: "[]", [NETWORK]: "{}" });
  const lifted = await stage.engine.up();
  expectChanges(lifted);
  return { runs: [asked, marked, kept, lifted] };
}

async function refused(run: Promise<EngineRun>): Promise<EngineRun> {
  const error: unknown = await run.catch((error: unknown) => error);
  assert.ok(error instanceof RunFailed, "it was not refused");
  return error.run;
}
