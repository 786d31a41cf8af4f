import { beforeEach, describe, expect, it } from "vitest";
import type { PropertyMap } from "../values";
import { imageOf, makeWorld, type World } from "../world";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

describe("changes that Azure refuses", () => {
  const changes: [
    what: string,
    which: (world: World) => World["vault"],
    change: (world: World) => PropertyMap,
    error: string,
  ][] = [
    [
      "a vault's days of soft delete",
      (w) => w.vault,
      ({ tenantId }) => ({
        properties: { tenantId, sku: { family: "A", name: "standard" }, softDeleteRetentionInDays: 7 },
      }),
      "has been set already and it can't be modified.",
    ],
    [
      "a key's size",
      (w) => w.key,
      () => ({ properties: { kty: "RSA", keySize: 3072 } }),
      "Key key1 exists: Azure keeps its keySize as it is, a new key needs a new name.",
    ],
    [
      "an account's kind",
      (w) => w.account,
      () => ({ kind: "BlobStorage" }),
      `Code="StorageAccountOperationNotAllowed"`,
    ],
    [
      "an image's blob",
      (w) => w.image,
      () => ({
        storageProfile: {
          osDisk: {
            osType: "Linux",
            osState: "Generalized",
            blobUri: "https://account1.blob.core.windows.net/images/x.vhd",
          },
        },
      }),
      "Changing property 'image.storageProfile' is not allowed.",
    ],
    [
      "a definition's generation",
      (w) => w.definition,
      () => ({ hyperVGeneration: "V1" }),
      "Changing property 'galleryImage.properties.hyperVGeneration' is not allowed.",
    ],
    [
      "a gallery's region",
      (w) => w.gallery,
      () => ({ location: "northeurope" }),
      `Status=409 Code="InvalidResourceLocation" Message="The resource 'gallery1' already exists in location 'westeurope' in resource group 'group1'.`,
    ],
    [
      "a network that no longer holds its subnet",
      (w) => w.network,
      () => ({ addressSpace: { addressPrefixes: ["10.2.0.0/24"] } }),
      `Code="NetcfgSubnetRangeOutsideVnet"`,
    ],
  ];
  it.each(changes)("%s", async (_, which, change, error) => {
    await expect(world.update(which(world), change(world))).rejects.toThrow(error);
  });

  it("a machine's image, login and cards", async () => {
    const { create, update, machine, login, image } = world;
    const made = await create("compute:VirtualMachine", machine());
    const storageProfile = { imageReference: { id: `${image.id}` }, osDisk: { createOption: "FromImage" } };
    await update(made, { tags: { a: "b" } });
    await update(made, { storageProfile });
    const another = await create("compute:Image", {
      ...made.inputs,
      ...imageOf(world.blobUri)(world),
      ...strip(made.inputs),
    });
    const change = { storageProfile: { ...storageProfile, imageReference: { id: another.id } } };
    await expect(update(made, change)).rejects.toThrow("Changing property 'imageReference' is not allowed.");
    await expect(update(made, { osProfile: login({ adminUsername: "other" }) })).rejects.toThrow(
      "Changing property 'adminUsername' is not allowed.",
    );
  });
});

/** Inputs of a machine that an image does not know. */
function strip(inputs: PropertyMap): PropertyMap {
  const foreign = Object.keys(inputs).filter((name) => !["resourceGroupName", "location"].includes(name));
  return Object.fromEntries(foreign.map((name) => [name, imageOf(world.blobUri)(world)[name]]));
}

describe("deletions that Azure refuses", () => {
  const deletions: [what: string, which: (world: World) => World["vault"], error: string][] = [
    ["a subnet with a card in it", (w) => w.subnet, `Code="InUseSubnetCannotBeDeleted"`],
    ["a network with a card in it", (w) => w.network, `Code="InUseSubnetCannotBeDeleted"`],
    ["a firewall of a subnet", (w) => w.firewall, `Code="InUseNetworkSecurityGroupCannotBeDeleted"`],
    ["an address of a card", (w) => w.address, `Code="PublicIPAddressCannotBeDeleted"`],
    ["a gallery with a definition in it", (w) => w.gallery, `Code="CannotDeleteResource"`],
  ];
  it.each(deletions)("%s", async (_, which, error) => {
    await expect(world.remove(which(world))).rejects.toThrow(error);
  });

  it("a card of a machine, and the card for a second machine", async () => {
    const { create, remove, machine, card } = world;
    await create("compute:VirtualMachine", machine());
    await expect(remove(card)).rejects.toThrow(`Status=400 Code="NicInUse"`);
    await expect(create("compute:VirtualMachine", machine({ vmName: "vm2" }))).rejects.toThrow(
      `Status=409 Code="NicInUse"`,
    );
  });

  it("a role that somebody has, and a second assignment of it", async () => {
    const { create, remove, group, me } = world;
    const definition = await create("authorization:RoleDefinition", {
      scope: group.id,
      roleName: "Mine",
      permissions: [{ actions: ["*/read"] }],
      assignableScopes: [group.id],
    });
    const assignment = {
      scope: group.id,
      principalId: me.objectId,
      roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${definition.id.split("/").at(-1)}`,
    };
    await create("authorization:RoleAssignment", assignment);
    await expect(remove(definition)).rejects.toThrow(`Code="RoleDefinitionHasAssignments"`);
    const again = { ...assignment, roleAssignmentName: "00000000-0000-0000-0000-000000000009" };
    await expect(create("authorization:RoleAssignment", again)).rejects.toThrow(
      `Status=409 Code="RoleAssignmentExists"`,
    );
  });
});

describe("names that are kept", () => {
  it("a deleted vault's, until it is purged", async () => {
    const { create, remove, cloud, vault, place, tenantId } = world;
    await remove(vault);
    const request = { ...place, vaultName: "vault1", properties: { tenantId, sku: { family: "A", name: "standard" } } };
    await expect(create("keyvault:Vault", request)).rejects.toThrow(
      `Status=409 Code="ConflictError" Message="A vault with the same name already exists in deleted state.`,
    );
    cloud.purgeVault("vault1");
    await create("keyvault:Vault", request);
  });

  it("a policy of somebody who has one, and two changes of a vault's policies at once", async () => {
    const { create, azure, place, tenantId } = world;
    const of = (objectId: string) => ({
      ...place,
      vaultName: "vault1",
      policy: { tenantId, objectId, permissions: { keys: ["get"] } },
    });
    const made = await create("keyvault:AccessPolicy", of("a"));
    await expect(create("keyvault:AccessPolicy", of("a"))).rejects.toThrow("access policy for a already exists");
    await expect(world.update(made, of("b"))).rejects.toThrow("access policy for b does not exist");
    const both = await Promise.allSettled([
      create("keyvault:AccessPolicy", of("c")),
      create("keyvault:AccessPolicy", of("d")),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(azure.package).toBe("azure-native");
  });
});
