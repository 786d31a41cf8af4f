import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { policyDenial } from "loopback-azure/provider/provider-faults";
import { changesOf, RunFailed, realOperations } from "./engine";
import type { Stage } from "./stage";
import { onlyResource, stageResources, VAULT } from "./stage-resources";
import { each, sealedFiles, type Told, WHOLE_STACK } from "./story-tools";

/** Azure keeps the VM from being deleted at first; what goes then, and what stays, and for how long. */
export async function destroyAll(stage: Stage): Promise<Told> {
  const { cloud } = stage.azure;
  const { name } = onlyResource(stage, VAULT);
  const denial = stage.faults.add({
    operation: "delete",
    name: "vm-machine",
    error: policyDenial("vm-machine", "keep-machines"),
  });
  const failed: unknown = await stage.engine.destroy().catch((error: unknown) => error);
  assert.ok(failed instanceof RunFailed, "destroy did not fail");
  assert.match(failed.run.log, /keep-machines/);
  assert.equal(denial.hits, 1);
  const run = await stage.engine.destroy();
  assert.deepEqual(
    [...changesOf(failed.run), ...changesOf(run)].sort(),
    each("delete", WHOLE_STACK),
    "everything goes, once",
  );
  assert.ok(realOperations(run).every(({ op }) => op === "delete"));
  assert.deepEqual(stageResources(stage), []);
  assert.deepEqual(sealedFiles(stage), []);
  const aside = path.join(stage.folder, ".removed", stage.stack);
  assert.match(fs.readdirSync(aside).join(" "), /onion\.\w+\.sops\.json/, "what git does not have was put aside");
  fs.rmSync(aside, { recursive: true }); // who wants another address throws it away
  const [kept, ...more] = cloud.deletedVaults().filter(({ resource }) => resource.name === name);
  assert.ok(kept !== undefined && more.length === 0, "the vault is recoverable");
  assert.equal(cloud.keys.names(kept.resource.id).length, 1, "and its key with it");
  const until = new Date(kept.scheduledPurgeAt).toISOString().slice(0, 10);
  return { runs: [failed.run, run], note: `vault ${name} and its key can be recovered until ${until}` };
}
