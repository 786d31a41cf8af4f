import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { changesOf, RunFailed } from "./engine";
import type { Stage } from "./stage";
import { onlyResource, stageResources, VAULT } from "./stage-resources";
import { beginHistory, commitSealed } from "./story-commits";
import { upUntil } from "./story-first-failures";
import {
  each,
  expectChanges,
  learnOnionKey,
  sealAction,
  sealedFile,
  type Told,
  WHOLE_STACK,
  withConfig,
} from "./story-tools";

/** What a stack keeps wherever it is. */
const KEPT = ["onion-seal", "token-seal", "vault-fingerprint-key"];
const PLACED = WHOLE_STACK.filter((name) => !KEPT.includes(name));

/** Everything of the region that is left, as long as the move is not through. */
async function isWhole(stage: Stage, old: Stage, address: unknown): Promise<void> {
  assert.equal(stageResources(old, "Microsoft.Compute/virtualMachines").length, 1, "the old machine serves");
  assert.equal(stageResources(old, VAULT).length, 1, "the old vault is there");
  assert.equal((await stage.engine.outputs()).onionHostname, address);
  const vaults = stage.azure.cloud.list({ type: VAULT }).map(({ name }) => name);
  for (const secret of ["onion", "token"]) {
    const file = sealedFile(stage, secret).toString();
    assert.ok(
      vaults.some((name) => file.includes(`//${name}.vault.`)),
      `a vault that is there opens ${secret}`,
    );
  }
}

/** The new place is made first, although each step of it is refused once; then the old one goes, its vault at the very last. */
export async function moveRegion(stage: Stage): Promise<Told> {
  const { onionHostname } = await stage.engine.outputs();
  const old = { ...stage, config: { ...stage.config } };
  const { name: oldVault } = onlyResource(old, VAULT);
  beginHistory(stage);
  await withConfig(stage, { "azure-native:location": "northeurope" });

  const guarded = (run: unknown) => run instanceof RunFailed && /-guard.* stays/s.test(run.run.log);
  const runs = await upUntil(stage, guarded, () => isWhole(stage, old, onionHostname));
  assert.match(runs.at(-1)?.log ?? "", new RegExp(`vault ${oldVault} stays, .*onion.* as committed: type git add`));
  assert.equal(stageResources(old, "Microsoft.Compute/virtualMachines").length, 0, "the old machine is gone");
  assert.equal(onlyResource(old, VAULT).name, oldVault, "its vault is not");
  for (const secret of ["onion", "token"]) assert.equal(await sealAction(stage, secret), "rewrapped");

  commitSealed(stage);
  const last = await stage.engine.up();
  assert.deepEqual(
    [...runs, last].flatMap(changesOf).sort(),
    [...each("create", PLACED), ...each("delete", PLACED), "update onion-seal", "update token-seal"].sort(),
    "the new place is made and the old one goes, each thing once",
  );
  assert.ok(changesOf(last).includes("delete vault-vault"));
  assert.deepEqual(stageResources(old), []);
  assert.equal((await stage.engine.outputs()).onionHostname, onionHostname);
  assert.ok(stage.azure.cloud.get(String((await stage.engine.outputs()).vmId)));
  await learnOnionKey(stage);
  const again = await stage.engine.up();
  expectChanges(again);
  // What git remembers would be asked for after the stack's end: the chapters about that make a new address.
  fs.rmSync(path.join(stage.folder, ".git"), { recursive: true });
  return { runs: [...runs, last, again], note: `${runs.length - 1} times refused; the address stays` };
}
