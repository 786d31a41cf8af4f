import * as assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { changesOf, type EngineRun } from "./engine";
import { type Stage, writeToken } from "./stage";
import { failAndGoOn } from "./story-failures";
import {
  expectChanges,
  learnOnionKey,
  requestsOf,
  sealAction,
  sealedFiles,
  stackFolder,
  withConfig,
} from "./story-tools";

/** What a changed image leads to. */
const NEW_IMAGE = [
  "create-replacement image-image",
  "create-replacement vm-machine",
  "delete-replaced image-image",
  "delete-replaced vm-machine",
  "replace image-image",
  "replace vm-machine",
  "update image-build",
  "update image-upload",
  "update vm-prune",
];

type Told = EngineRun | EngineRun[];
type Telling = [name: string, tell: (stage: Stage) => Promise<Told>];

const preview: Telling = [
  "a preview does nothing",
  async (stage) => {
    const before = stage.azure.cloud.list().length;
    const { run, requests } = await requestsOf(stage, () => stage.engine.preview());
    assert.deepEqual(requests, []);
    assert.equal(stage.azure.cloud.list().length, before);
    assert.deepEqual(sealedFiles(stage), []);
    assert.ok(run.operations.every(({ op }) => op === "create"));
    return run;
  },
];

const firstUp: Telling = [
  "up",
  async (stage) => {
    const run = await stage.engine.up();
    assert.ok(run.operations.every(({ op }) => op === "create"));
    assert.deepEqual(sealedFiles(stage), ["onion.sops.json", "token.sops.json"]);
    const { onionHostname, vmId } = await stage.engine.outputs();
    assert.match(String(onionHostname), /^[a-z2-7]{56}\.onion$/);
    assert.ok(stage.azure.cloud.get(String(vmId)));
    await learnOnionKey(stage);
    return run;
  },
];

const secondUp: Telling = [
  "up again: no change, no command, nobody asked",
  async (stage) => {
    const { run, requests } = await requestsOf(stage, () => stage.engine.up());
    expectChanges(run);
    assert.deepEqual(requests, []);
    return run;
  },
];

const changeSecret: Telling = [
  "one secret changes: it, the image and the VM",
  async (stage) => {
    writeToken(stage);
    const planned = await stage.engine.preview();
    assert.ok(changesOf(planned).includes("update token-seal") && !changesOf(planned).includes("update onion-seal"));
    const run = await stage.engine.up();
    expectChanges(run, "update token-seal", ...NEW_IMAGE);
    assert.equal(await sealAction(stage, "token"), "sealed");
    return [planned, run];
  },
];

const addRecipient: Telling = [
  "one more recipient: re-wrapped, without the source",
  async (stage) => {
    const token = path.join(stage.sources, "token");
    fs.renameSync(token, `${token}.away`);
    const { publicKey } = generateKeyPairSync("ed25519");
    const point = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url");
    const line = Buffer.concat([
      Buffer.from([0, 0, 0, 11]),
      Buffer.from("ssh-ed25519"),
      Buffer.from([0, 0, 0, 32]),
      point,
    ]);
    await withConfig(stage, {
      "sealed-onion:recipients": JSON.stringify({ age: [`ssh-ed25519 ${line.toString("base64")}`] }),
    });
    const run = await stage.engine.up();
    fs.renameSync(`${token}.away`, token);
    expectChanges(run, "update onion-seal", "update token-seal", ...NEW_IMAGE);
    assert.equal(await sealAction(stage, "token"), "rewrapped");
    assert.equal(await sealAction(stage, "onion"), "rewrapped");
    return run;
  },
];

const removeSecret: Telling = [
  "a secret is no longer declared: its sealed file goes",
  async (stage) => {
    await withConfig(stage, { "sealed-onion:secrets": JSON.stringify({ onion: { source: { onion: {} } } }) });
    const run = await stage.engine.up();
    expectChanges(run, "delete token", "delete token-seal", ...NEW_IMAGE);
    assert.deepEqual(sealedFiles(stage), ["onion.sops.json"]);
    return run;
  },
];

const rotateKey: Telling = [
  "the key is rotated: after a refresh the next up re-wraps",
  async (stage) => {
    const { cloud } = stage.azure;
    const [vault] = cloud.list({ type: "Microsoft.KeyVault/vaults" });
    const [key = ""] = cloud.keys.names(vault?.id ?? "");
    await cloud.keys.create(vault?.id ?? "", key, { keySize: 3072, keyOps: ["encrypt", "decrypt"] });
    const before = (await stage.engine.outputs()).onionHostname;
    const seen = await stage.engine.refresh();
    expectChanges(seen); // no input has another value: only the key's URL, an output, is taken over
    const run = await stage.engine.up();
    expectChanges(run, "update onion-seal", ...NEW_IMAGE);
    assert.equal(await sealAction(stage, "onion"), "rewrapped");
    assert.equal((await stage.engine.outputs()).onionHostname, before);
    return [seen, run];
  },
];

const rollBack: Telling = [
  "an older sealed file comes back from git: image and VM, no new seal",
  async (stage) => {
    const older = `${stackFolder(stage)}.older`;
    fs.cpSync(stackFolder(stage), older, { recursive: true });
    await withConfig(stage, { "sealed-onion:recipients": "{}" });
    const newer = await stage.engine.up();
    expectChanges(newer, "update onion-seal", ...NEW_IMAGE);
    fs.rmSync(stackFolder(stage), { recursive: true });
    fs.renameSync(older, stackFolder(stage));
    const run = await stage.engine.up();
    expectChanges(run, ...NEW_IMAGE);
    return [newer, run];
  },
];

const drift: Telling = [
  "a policy is removed by hand: a refresh shows it, up repairs it",
  async (stage) => {
    const { cloud } = stage.azure;
    const [vault] = cloud.list({ type: "Microsoft.KeyVault/vaults" });
    const identity = cloud.list({ type: "Microsoft.ManagedIdentity/userAssignedIdentities" })[0]?.properties
      .principalId;
    const policies = (vault?.properties.accessPolicies ?? []) as { objectId: string }[];
    assert.ok(vault && policies.some(({ objectId }) => objectId === identity));
    const accessPolicies = policies.filter(({ objectId }) => objectId !== identity);
    cloud.put({ ...vault, properties: { ...vault.properties, accessPolicies } });
    const seen = await stage.engine.refresh();
    expectChanges(seen, "delete vault-machine-policy");
    const run = await stage.engine.up();
    expectChanges(run, "create vault-machine-policy");
    return [seen, run];
  },
];

/** Everything goes but what soft delete keeps, and the rights that the subscription's owner had before. */
const destroyAll: Telling = [
  "destroy: only the vault stays, in soft delete",
  async (stage) => {
    const run = await stage.engine.destroy();
    assert.ok(run.operations.every(({ op }) => op === "delete"));
    const { cloud } = stage.azure;
    const owner = "/providers/Microsoft.Authorization/roleAssignments/";
    assert.deepEqual(
      cloud.list().filter(({ id }) => !id.includes(owner)),
      [],
    );
    assert.equal(cloud.deletedVaults().length, 1);
    assert.deepEqual(sealedFiles(stage), []);
    return run;
  },
];

export const life: Telling[] = [
  preview,
  firstUp,
  secondUp,
  changeSecret,
  addRecipient,
  removeSecret,
  rotateKey,
  rollBack,
  drift,
  ["a failure in each step: the next up goes on", failAndGoOn],
  destroyAll,
];
