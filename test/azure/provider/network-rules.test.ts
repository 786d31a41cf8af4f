import { beforeEach, describe, expect, it } from "vitest";
import type { PropertyMap } from "./values";
import { makeWorld, type World } from "./world";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

type Row = [what: string, token: string, inputs: (world: World) => PropertyMap, error: string];

const DENY = { bypass: "None", defaultAction: "Deny" };

const vaultWith = (networkAcls: (world: World) => PropertyMap) => (world: World) => ({
  ...world.place,
  vaultName: "vault2",
  properties: {
    tenantId: world.tenantId,
    sku: { family: "A", name: "standard" },
    networkAcls: { ...DENY, ...networkAcls(world) },
  },
});

const accountWith = (rules: (world: World) => PropertyMap) => (world: World) => ({
  ...world.place,
  ...{ accountName: "account2", kind: "StorageV2", sku: { name: "Standard_LRS" } },
  networkRuleSet: { ...DENY, ...rules(world) },
});

const endpointTo = (connection: (world: World) => PropertyMap) => (world: World) => ({
  ...world.place,
  privateEndpointName: "pe",
  subnet: { id: world.subnet.id },
  privateLinkServiceConnections: [{ name: "one", ...connection(world) }],
});

const zone = { privateZoneName: "privatelink.vaultcore.azure.net", location: "global" };

const refused: Row[] = [
  [
    "a private range in a vault's rules",
    "keyvault:Vault",
    vaultWith(() => ({ ipRules: [{ value: "192.168.1.0/24" }] })),
    "Invalid value found at properties.networkAcls.ipRules[0].value: 192.168.1.0/24 belongs to forbidden range 192.168.0.0-192.168.255.255 (private IP addresses)",
  ],
  [
    "a vault's rule that is no network",
    "keyvault:Vault",
    vaultWith(() => ({ ipRules: [{ value: "198.51.100.7/24" }] })),
    'Status=400 Code="BadRequest"',
  ],
  [
    "a subnet without an endpoint in a vault's rules",
    "keyvault:Vault",
    vaultWith(({ subnet }) => ({ virtualNetworkRules: [{ id: subnet.id }] })),
    "Operation on Virtual Network could not be performed. StatusCode: 400 (BadRequest). Error Code: SubnetsHaveNoServiceEndpointsConfigured. Error Message: Subnets subnet1 of virtual network ",
  ],
  [
    "an address with its size in an account's rules",
    "storage:StorageAccount",
    accountWith(() => ({ ipRules: [{ iPAddressOrRange: "198.51.100.7/32" }] })),
    "Values for request parameters are invalid: networkAcls.ipRule[*].value. For more information, see - https://aka.ms/storagenetworkruleset",
  ],
  [
    "a subnet without an endpoint in an account's rules",
    "storage:StorageAccount",
    accountWith(({ subnet }) => ({ virtualNetworkRules: [{ virtualNetworkResourceId: subnet.id }] })),
    "Validation of network acls failure: SubnetsHaveNoServiceEndpointsConfigured:Subnets subnet1 of virtual network ",
  ],
  [
    "an endpoint of what is not there",
    "network:PrivateEndpoint",
    endpointTo(({ vault }) => ({ groupIds: ["vault"], privateLinkServiceId: `${vault.id}2` })),
    'Code="InvalidResourceReference"',
  ],
  [
    "an endpoint of a part that a vault has not",
    "network:PrivateEndpoint",
    endpointTo(({ vault }) => ({ groupIds: ["blob"], privateLinkServiceId: vault.id })),
    "has invalid groupIds blob for ",
  ],
  [
    "a private zone in a region",
    "privatedns:PrivateZone",
    ({ place }) => ({ ...place, ...zone, location: "westeurope" }),
    "List of available regions for the resource type is 'global'.",
  ],
];

describe("what Azure refuses of networks before vaults and accounts", () => {
  it.each(refused)("%s", async (_, token, inputs, error) => {
    await expect(world.create(token, inputs(world))).rejects.toThrow(error);
  });

  it("a second zone of the same name for a network", async () => {
    const { create, network, place } = world;
    await create("resources:ResourceGroup", { resourceGroupName: "hub", location: "westeurope" });
    for (const resourceGroupName of ["hub", place.resourceGroupName])
      await create("privatedns:PrivateZone", { ...zone, resourceGroupName });
    const link = { ...zone, virtualNetworkLinkName: "machines", virtualNetwork: { id: network.id } };
    await create("privatedns:VirtualNetworkLink", { ...link, resourceGroupName: "hub" });
    await expect(create("privatedns:VirtualNetworkLink", { ...link, ...place })).rejects.toThrow(
      "A virtual network cannot be linked to multiple zones with overlapping namespaces.",
    );
  });

  it("an image of a blob that its services may not read", async () => {
    const { blobUri, create, place, update, account } = world;
    const osDisk = { osType: "Linux", osState: "Generalized", blobUri };
    const image = { ...place, imageName: "image2", hyperVGeneration: "V2", storageProfile: { osDisk } };
    await update(account, { networkRuleSet: DENY });
    await expect(create("compute:Image", image)).rejects.toThrow(`The source blob ${blobUri} is not accessible.`);
    await update(account, { networkRuleSet: { ...DENY, bypass: "AzureServices" } });
    await expect(create("compute:Image", image)).resolves.toBeDefined();
  });

  it("a subnet that goes while an endpoint is in it, a zone while a network asks it", async () => {
    const { create, network, place, remove, subnet, vault } = world;
    await create("network:PrivateEndpoint", {
      ...endpointTo(() => ({ groupIds: ["vault"], privateLinkServiceId: vault.id }))(world),
    });
    const made = await create("privatedns:PrivateZone", { ...place, ...zone });
    const link = { ...place, ...zone, virtualNetworkLinkName: "machines", virtualNetwork: { id: network.id } };
    await create("privatedns:VirtualNetworkLink", link);
    await expect(remove(subnet)).rejects.toThrow("InUseSubnetCannotBeDeleted");
    await expect(remove(made)).rejects.toThrow("CannotDeleteResource");
  });
});
