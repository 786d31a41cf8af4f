import { describe, expect, it } from "vitest";
import { createCloud } from "../cloud";
import { policyDenial, quotaExceeded } from "./provider-faults";
import { containsUnknown, type PropertyMap } from "./values";
import { makeWorld } from "./world";

describe("what azure-native does", () => {
  it("names what has no name by Pulumi's name and eight hex digits, or a GUID, and keeps the name", async () => {
    const { check, place, account } = await makeWorld();
    const vault = await check("keyvault:Vault", { ...place, properties: {} });
    expect(vault.inputs.vaultName).toBe("itaaaaaaaa");
    expect(vault.inputs.__createBeforeDelete).toBe(true);
    expect((await check("keyvault:Vault", { ...place, properties: {} }, vault.inputs)).inputs.vaultName).toBe(
      "itaaaaaaaa",
    );
    const assignment = await check("authorization:RoleAssignment", {
      scope: account.id,
      principalId: "p",
      roleDefinitionId: "r",
    });
    expect(assignment.inputs.roleAssignmentName).toBe("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa");
  });

  it("takes a location from the provider's config, else from the resource group", async () => {
    const world = await makeWorld();
    expect(world.vault.inputs.location).toBe("westeurope");
    world.azure.configure?.({ location: "northeurope" });
    expect((await world.check("compute:Gallery", { ...world.place, galleryName: "g" })).inputs.location).toBe(
      "northeurope",
    );
  });

  it("knows of a preview only the inputs; names and places of what is there stay known in an update", async () => {
    const { azure, vault } = await makeWorld();
    const { urn, type, inputs, id, outputs } = vault;
    const fresh = await azure.create({ urn, type, name: "it", inputs, preview: true });
    const properties = fresh.outputs.properties as PropertyMap;
    expect(fresh.id).toBe("");
    expect(containsUnknown(fresh.outputs.name)).toBe(true);
    expect(containsUnknown(properties.vaultUri)).toBe(true);
    expect(properties.sku).toEqual({ family: "A", name: "standard" });
    const request = { urn, type, name: "it", inputs, id, oldInputs: inputs, oldOutputs: outputs, preview: true };
    expect((await azure.update(request)).name).toBe("vault1");
  });

  it("replaces what is in the path or marked in the schema, and updates the rest", async () => {
    const { azure, vault, account } = await makeWorld();
    const of = (made: typeof vault, change: PropertyMap) =>
      azure.diff({ ...made, oldInputs: made.inputs, oldOutputs: made.outputs, news: { ...made.inputs, ...change } });
    expect(await of(vault, { vaultName: "another" })).toEqual({
      detailed: { vaultName: "update-replace" },
      deleteBeforeReplace: true,
    });
    expect((await of(vault, { tags: { a: "b" } })).detailed).toEqual({ tags: "add" });
    expect((await of(account, { location: "northeurope" })).detailed).toEqual({ location: "update-replace" });
    expect((await of(account, { location: "West Europe" })).detailed).toEqual({});
    expect((await of(account, { sku: { name: "Standard_ZRS" } })).detailed).toEqual({ "sku.name": "update" });
  });

  it("creates before it deletes what it named itself", async () => {
    const { azure, create, place, tenantId } = await makeWorld();
    const made = await create("managedidentity:UserAssignedIdentity", { ...place, tags: { tenant: tenantId } });
    const news = { ...made.inputs, location: "northeurope" };
    const diff = await azure.diff({ ...made, oldInputs: made.inputs, oldOutputs: made.outputs, news });
    expect(diff).toEqual({ detailed: { location: "update-replace" }, deleteBeforeReplace: false });
  });

  it("reads drift into the inputs, and nothing that Azure filled in", async () => {
    const { azure, cloud, vault, account } = await makeWorld();
    expect((await azure.read(vault))?.inputs).toEqual(vault.inputs);
    const stored = cloud.get(account.id);
    if (stored === undefined) throw new Error("the account is not there");
    cloud.put({ ...stored, properties: { ...stored.properties, minimumTlsVersion: "TLS1_0" } });
    expect((await azure.read(account))?.inputs).toEqual({ ...account.inputs, minimumTlsVersion: "TLS1_0" });
    cloud.remove(account.id);
    expect(await azure.read(account)).toBeUndefined();
  });

  it("leaves policies and subnets to the resources that own them", async () => {
    const { azure, cloud, create, update, place, tenantId, vault, network } = await makeWorld();
    const policy = { tenantId, objectId: "someone", permissions: { keys: ["get"] } };
    await create("keyvault:AccessPolicy", { ...place, vaultName: "vault1", policy });
    expect((await azure.read(vault))?.inputs).toEqual(vault.inputs);
    await update(vault, { tags: { a: "b" } });
    expect(cloud.vault("vault1")?.properties.accessPolicies).toEqual([policy]);
    const { outputs } = await update(network, { tags: { a: "b" } });
    expect((outputs.subnets as PropertyMap[]).map(({ name }) => name)).toEqual(["subnet1"]);
    expect((await azure.read(network))?.inputs).toEqual({ ...network.inputs, tags: { a: "b" } });
  });

  it("answers who runs the update, and no other function", async () => {
    const { azure, me, cloud } = await makeWorld();
    expect(await azure.invoke("azure-native:authorization:getClientConfig", {})).toEqual({
      clientId: me.clientId,
      objectId: me.objectId,
      subscriptionId: cloud.subscriptionId,
      tenantId: cloud.tenantId,
    });
    await expect(azure.invoke("azure-native:storage:listStorageAccountKeys", {})).rejects.toThrow("is not simulated");
  });

  it("meets injected refusals once, by operation, type and name", async () => {
    const { azure, create, place } = await makeWorld();
    azure.faults.add({
      operation: "create",
      type: "azure-native:compute:Gallery",
      error: quotaExceeded("westeurope", 4),
    });
    await expect(create("compute:Gallery", { ...place, galleryName: "g1" })).rejects.toThrow(
      'Status=409 Code="OperationNotAllowed"',
    );
    await create("compute:Gallery", { ...place, galleryName: "g1" });
    azure.faults.add({ operation: "delete", error: policyDenial("g1", "keep") });
    azure.faults.clear();
    await create("compute:Gallery", { ...place, galleryName: "g2" });
  });

  it("makes a key whose answer names its newest version, as after a rotation in the portal", async () => {
    const { azure, cloud, key, vault } = await makeWorld();
    const [first] = cloud.keys.versions(vault.id, "key1");
    expect(key.outputs.keyUriWithVersion).toBe(`https://vault1.vault.azure.net/keys/key1/${first?.version}`);
    const second = await cloud.keys.create(vault.id, "key1", { keySize: 2048 });
    const read = await azure.read(key);
    expect(read?.outputs.keyUriWithVersion).toBe(`https://vault1.vault.azure.net/keys/key1/${second.version}`);
    expect(read?.inputs).toEqual(key.inputs);
  });

  it("deletes a key only for who may delete keys, as azure-native goes through the data plane for it", async () => {
    const { create, remove, cloud, me, place, tenantId, key } = await makeWorld();
    await expect(remove(key)).rejects.toThrow("does not have keys delete permission on key vault 'vault1'");
    const policy = { tenantId, objectId: me.objectId, permissions: { keys: ["delete"] } };
    await create("keyvault:AccessPolicy", { ...place, vaultName: "vault1", policy });
    await remove(key);
    expect(cloud.keys.deleted(cloud.vault("vault1")?.id ?? "")).toHaveLength(1);
  });

  it("lets a policy act only after a while", async () => {
    let now = 1_000;
    const cloud = createCloud({ now: () => now, propagation: { accessPoliciesMs: 5_000 } });
    const { create, place, tenantId, vault } = await makeWorld(cloud);
    now += 10_000;
    const policy = { tenantId, objectId: "someone", permissions: { keys: ["get"] } };
    await create("keyvault:AccessPolicy", { ...place, vaultName: "vault1", policy });
    expect(cloud.effective(vault.id)?.properties.accessPolicies).toEqual([]);
    now += 5_000;
    expect(cloud.effective(vault.id)?.properties.accessPolicies).toEqual([policy]);
  });

  it("deletes a group with everything in it; vaults wait in soft delete, and come back by createMode", async () => {
    const { cloud, create, remove, group, place, tenantId } = await makeWorld();
    await remove(group);
    expect(cloud.list()).toEqual([]);
    expect(cloud.deletedVaults().map(({ resource }) => resource.name)).toEqual(["vault1"]);
    await create("resources:ResourceGroup", { ...place });
    const properties = { tenantId, sku: { family: "A", name: "standard" }, createMode: "recover" };
    await create("keyvault:Vault", { ...place, vaultName: "vault1", properties });
    expect(cloud.keys.names(cloud.vault("vault1")?.id ?? "")).toEqual(["key1"]);
  });

  it("keeps a managed disk that its machine does not take along", async () => {
    const { cloud, create, remove, machine } = await makeWorld();
    const disks = () => cloud.list({ type: "Microsoft.Compute/disks" });
    const taken = await create("compute:VirtualMachine", machine());
    expect(disks()).toHaveLength(1);
    await remove(taken);
    expect(disks()).toEqual([]);
    const { storageProfile } = machine() as { storageProfile: PropertyMap };
    const osDisk = { createOption: "FromImage" };
    const left = await create("compute:VirtualMachine", machine({ storageProfile: { ...storageProfile, osDisk } }));
    await remove(left);
    expect(disks().map(({ properties }) => properties.diskState)).toEqual(["Unattached"]);
  });

  it("gives a machine its identities' ids, and a card a free address", async () => {
    const { create, machine, identity, card } = await makeWorld();
    const userAssignedIdentities = [identity.id];
    const made = await create(
      "compute:VirtualMachine",
      machine({ identity: { type: "UserAssigned", userAssignedIdentities } }),
    );
    const { principalId, clientId } = identity.outputs;
    expect(made.outputs.identity).toEqual({
      type: "UserAssigned",
      userAssignedIdentities: { [identity.id]: { principalId, clientId } },
    });
    expect(made.outputs.osProfile).not.toHaveProperty("adminPassword");
    const [configuration] = card.outputs.ipConfigurations as PropertyMap[];
    expect(configuration?.privateIPAddress).toBe("10.0.0.4");
  });
});
