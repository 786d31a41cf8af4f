import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { newSshRecipient } from "../ssh-key";
import { withSlowPolicies } from "./slow-policies";
import { stageSecrets, withoutToken, writeToken } from "./stage";
import { onlyResource, stageResources, VAULT } from "./stage-resources";
import { destroyAll } from "./story-destroy";
import { failAndGoOn } from "./story-failures";
import { failAtFirst } from "./story-first-failures";
import { moveRegion } from "./story-move";
import { keepProduction } from "./story-production";
import {
  each,
  expectChanges,
  learnOnionKey,
  NEW_IMAGE,
  requestsOf,
  sealAction,
  sealedFile,
  sealedFiles,
  stackFolder,
  type Telling,
  WHOLE_STACK,
  withConfig,
} from "./story-tools";

const preview: Telling = [
  "a preview does nothing",
  async (stage) => {
    const { run, requests } = await requestsOf(stage, () => stage.engine.preview());
    expectChanges(run, ...each("create", WHOLE_STACK));
    assert.deepEqual(requests, []);
    assert.deepEqual(stageResources(stage), []);
    assert.deepEqual(sealedFiles(stage), []);
    return { runs: [run] };
  },
];

const firstUp: Telling = [
  "up, although the vault's policies take seconds to take effect",
  async (stage) => {
    const { run, refused } = await withSlowPolicies(stage, () => stage.engine.up());
    assert.ok(refused > 0, "the vault refused nobody");
    expectChanges(run, ...each("create", WHOLE_STACK));
    assert.deepEqual(sealedFiles(stage), ["onion.sops.json", "token.sops.json"]);
    const { onionHostname, vmId } = await stage.engine.outputs();
    assert.match(String(onionHostname), /^[a-z2-7]{56}\.onion$/);
    assert.ok(stage.azure.cloud.get(String(vmId)));
    await learnOnionKey(stage);
    return { runs: [run] };
  },
];

const secondUp: Telling = [
  "up again: no change, no command, nobody asked",
  async (stage) => {
    const { run, requests } = await requestsOf(stage, () => stage.engine.up());
    expectChanges(run);
    assert.deepEqual(requests, []);
    return { runs: [run] };
  },
];

const changeSecret: Telling = [
  "one secret changes: it, the image and the VM",
  async (stage) => {
    writeToken(stage);
    const onion = sealedFile(stage, "onion");
    const planned = await stage.engine.preview();
    expectChanges(planned, "update token-seal", ...NEW_IMAGE);
    const run = await stage.engine.up();
    expectChanges(run, "update token-seal", ...NEW_IMAGE);
    assert.equal(await sealAction(stage, "token"), "sealed");
    assert.deepEqual(sealedFile(stage, "onion"), onion);
    return { runs: [planned, run] };
  },
];

const previewWithoutSources: Telling = [
  "a preview where no plaintext is at hand: no change",
  async (stage) => {
    const { run, requests } = await requestsOf(stage, () => withoutToken(stage, () => stage.engine.preview()));
    expectChanges(run);
    assert.deepEqual(requests, []);
    return { runs: [run] };
  },
];

const addRecipient: Telling = [
  "one more recipient: re-wrapped, without the source",
  async (stage) => {
    await withConfig(stage, { "sealed-onion:recipients": JSON.stringify({ age: [newSshRecipient()] }) });
    const run = await withoutToken(stage, () => stage.engine.up());
    expectChanges(run, "update onion-seal", "update token-seal", ...NEW_IMAGE);
    assert.equal(await sealAction(stage, "token"), "rewrapped");
    assert.equal(await sealAction(stage, "onion"), "rewrapped");
    return { runs: [run] };
  },
];

const removeSecret: Telling = [
  "a secret is no longer declared: its sealed file goes",
  async (stage) => {
    await withConfig(stage, { "sealed-onion:secrets": JSON.stringify(stageSecrets(stage.sources, false)) });
    const run = await stage.engine.up();
    expectChanges(run, "delete token-seal", ...NEW_IMAGE);
    assert.deepEqual(sealedFiles(stage), ["onion.sops.json"]);
    return { runs: [run] };
  },
];

const rotateKey: Telling = [
  "the key is rotated: after a refresh the next up re-wraps",
  async (stage) => {
    const { keys } = stage.azure.cloud;
    const vault = onlyResource(stage, VAULT);
    const [key = ""] = keys.names(vault.id);
    await keys.create(vault.id, key, { keySize: 3072, keyOps: ["encrypt", "decrypt"] });
    const before = await stage.engine.outputs();
    const seen = await stage.engine.refresh();
    expectChanges(seen); // no input has another value: only the key's URL, an output, is taken over
    const run = await stage.engine.up();
    expectChanges(run, "update onion-seal", ...NEW_IMAGE);
    assert.equal(await sealAction(stage, "onion"), "rewrapped");
    const { keyUrl, onionHostname } = await stage.engine.outputs();
    assert.notEqual(keyUrl, before.keyUrl);
    assert.ok(sealedFile(stage, "onion").includes(String(keyUrl).split("/").at(-1) ?? "no version"));
    assert.equal(onionHostname, before.onionHostname);
    return { runs: [seen, run] };
  },
];

const rollBack: Telling = [
  "an older sealed file comes back from git: image and VM, no new seal",
  async (stage) => {
    const older = `${stackFolder(stage)}.older`;
    fs.cpSync(stackFolder(stage), older, { recursive: true });
    const before = await stage.engine.outputs();
    await withConfig(stage, { "sealed-onion:recipients": "{}" });
    const newer = await stage.engine.up();
    expectChanges(newer, "update onion-seal", ...NEW_IMAGE);
    fs.rmSync(stackFolder(stage), { recursive: true });
    fs.renameSync(older, stackFolder(stage));
    const { run, requests } = await requestsOf(stage, () => stage.engine.up());
    expectChanges(run, ...NEW_IMAGE);
    assert.deepEqual(
      requests.filter((request) => /vault\.azure\.net|^PUT /.test(request)),
      [],
      "the older image is still there: nothing is sealed or uploaded",
    );
    assert.equal((await stage.engine.outputs()).imageId, before.imageId);
    return { runs: [newer, run] };
  },
];

const drift: Telling = [
  "a policy is removed by hand: a refresh shows it, up repairs it",
  async (stage) => {
    const vault = onlyResource(stage, VAULT);
    const { principalId } = onlyResource(stage, "Microsoft.ManagedIdentity/userAssignedIdentities").properties;
    const ofMachine = () => {
      const policies = (onlyResource(stage, VAULT).properties.accessPolicies ?? []) as { objectId: string }[];
      return policies.filter(({ objectId }) => objectId === principalId).length;
    };
    assert.equal(ofMachine(), 1);
    const policies = vault.properties.accessPolicies as { objectId: string }[];
    const accessPolicies = policies.filter(({ objectId }) => objectId !== principalId);
    stage.azure.cloud.put({ ...vault, properties: { ...vault.properties, accessPolicies } });
    const seen = await stage.engine.refresh();
    expectChanges(seen, "delete vault-machine-policy");
    const run = await stage.engine.up();
    expectChanges(run, "create vault-machine-policy");
    assert.equal(ofMachine(), 1);
    return { runs: [seen, run] };
  },
];

/** A stack's life in its order. */
export const life: Telling[] = [
  preview,
  firstUp,
  secondUp,
  previewWithoutSources,
  changeSecret,
  addRecipient,
  removeSecret,
  rotateKey,
  rollBack,
  drift,
  ["each step of a change fails once: the next up goes on", failAndGoOn],
  ["another region: the new place is made first, each step failing once; then the old one goes", moveRegion],
  ["a production stack is kept from destroy, until its dial is turned", keepProduction],
  ["destroy fails half-way; the next one leaves only the vault, in soft delete", destroyAll],
  ["made again, each resource failing once: no up makes anything twice", failAtFirst],
];
