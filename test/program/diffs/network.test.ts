import { assignPolicy } from "loopback-azure/policy/assignments";
import type { BuiltInPolicy } from "loopback-azure/policy/built-in";
import { valuesAt } from "loopback-azure/provider/arm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configure, said, startStack, type TestStack } from "./test-stack";

// Each of these is an update or two, with its preview.
vi.setConfig({ testTimeout: 180_000 });

const ZONE = "Microsoft.Network/privateDnsZones";
const place = { resourceGroupName: "hub" };

let stack: TestStack;
beforeEach(() => {
  stack = startStack();
});
afterEach(() => stack.close());

async function up(settings: Readonly<Record<string, unknown>>): Promise<string[]> {
  await stack.engine.setConfig(configure(settings));
  return said(stack.engine);
}

const only = (type: string) => stack.cloud.list({ type })[0]?.properties;
const vault = () => only("Microsoft.KeyVault/vaults");
const account = () => only("Microsoft.Storage/storageAccounts");

async function hubSubnet(change: object = {}): Promise<string> {
  await stack.make("resources:ResourceGroup", { ...place, location: "westeurope" });
  const network = { ...place, virtualNetworkName: "hub-network" };
  await stack.make("network:VirtualNetwork", { ...network, addressSpace: { addressPrefixes: ["10.9.0.0/16"] } });
  const subnet = { ...network, subnetName: "onions", addressPrefix: "10.9.1.0/24", ...change };
  return stack.make("network:Subnet", subnet);
}

/** What a company assigns to its subscriptions. */
function deny(...policies: BuiltInPolicy[]): void {
  for (const policy of policies) assignPolicy(stack.cloud, policy);
}

describe("a firewall before vault and account", () => {
  it("lets the machines' subnet and the networks that are named through, without another machine", async () => {
    await up({});
    expect(await up({ network: { allow: ["198.51.100.0/24", "203.0.113.6/31", "192.0.2.9"] } })).toEqual([
      "update image-account",
      "update vault-vault",
      "update vm-subnet",
    ]);
    const subnet = stack.cloud.list({ type: "Microsoft.Network/virtualNetworks/subnets" })[0]?.id;
    expect(vault()).toMatchObject({
      publicNetworkAccess: "enabled",
      networkAcls: {
        bypass: "None",
        defaultAction: "Deny",
        ipRules: [{ value: "198.51.100.0/24" }, { value: "203.0.113.6/31" }, { value: "192.0.2.9/32" }],
        virtualNetworkRules: [{ id: subnet }],
      },
    });
    const addresses = ["198.51.100.0/24", "203.0.113.6", "203.0.113.7", "192.0.2.9"];
    expect(account()).toMatchObject({
      networkAcls: { bypass: "AzureServices", ipRules: addresses.map((value) => ({ value })) },
    });
    expect(await up({})).toEqual(["update image-account", "update vault-vault", "update vm-subnet"]);
    await stack.engine.destroy();
    expect(stack.cloud.list({ type: "Microsoft.Network/virtualNetworks" })).toEqual([]);
  });

  it("is made before them, where a stack begins with it", async () => {
    const made = await up({ network: { allow: ["198.51.100.0/24"] } });
    expect(made).toContain("create vm-subnet");
    expect(made).not.toContain("create vault-endpoint");
    expect(await up({ network: { allow: ["198.51.100.0/24"] } })).toEqual([]);
  });

  it("knows several machines by their subnet", async () => {
    const fleet = { replicas: 2, authorization: "rbac", status: true, rollout: "newFirst" };
    await up({ ...fleet, network: { allow: [] } });
    const rules = vault()?.networkAcls as { virtualNetworkRules: { id: string }[] };
    expect(rules.virtualNetworkRules[0]?.id).toMatch(/sealed-onion-dev-fleet\/subnets\/machines$/);
  });

  it("asks an existing subnet for its endpoints, in a line", async () => {
    const existing = { subnet: await hubSubnet() };
    await stack.engine.setConfig(configure({ existing, outbound: "subnet", network: { allow: [] } }));
    await expect(stack.engine.preview()).rejects.toThrow(
      "existing.subnet onions has no service endpoints for Microsoft.KeyVault and Microsoft.Storage, by which their firewalls know it: have them added, or set sealed-onion:network.privateEndpoints to true",
    );
  });
});

describe("private endpoints", () => {
  const closed = { network: { privateEndpoints: true, publicAccess: "off" } };

  it("are the only way to vault and account, where public access is off", async () => {
    const made = await up(closed);
    for (const part of ["vault-endpoint", "vault-endpoint-dns", "image-endpoint", "image-endpoint-dns"])
      expect(made).toContain(`create ${part}`);
    expect(vault()).toMatchObject({ publicNetworkAccess: "disabled", networkAcls: { virtualNetworkRules: [] } });
    expect(account()).toMatchObject({ publicNetworkAccess: "Disabled" });
    const zones = stack.cloud.list({ type: "Microsoft.Network/privateDnsZones" }).map(({ name }) => name);
    expect(zones.sort()).toEqual(["privatelink.blob.core.windows.net", "privatelink.vaultcore.azure.net"]);
    expect(await up(closed)).toEqual([]);
    await stack.engine.destroy();
    expect(stack.cloud.list({ type: "Microsoft.Network/privateEndpoints" })).toEqual([]);
  });

  it("come to a stack that runs, and go, without another machine or vault", async () => {
    await up({});
    const changes = [...(await up(closed)), ...(await up({}))];
    expect(changes.filter((change) => /machine|card|replace|vault-key/.test(change))).toEqual([]);
    expect(vault()).toMatchObject({ publicNetworkAccess: "enabled" });
  });

  it("are what production closes the public endpoints for, and what an address keeps open", async () => {
    const production = { production: true, sealers: [stack.sealer] };
    await up({ ...production, network: { privateEndpoints: true } });
    expect(vault()).toMatchObject({ publicNetworkAccess: "disabled" });
    await up({ ...production, network: { privateEndpoints: true, allow: ["198.51.100.7"] } });
    expect(vault()).toMatchObject({ publicNetworkAccess: "enabled", networkAcls: { defaultAction: "Deny" } });
  });

  it("with a subnet that has a way out pass where a company denies public addresses and public access", async () => {
    const existing = { subnet: await hubSubnet() };
    deny("noAddresses", "noPublicAddress", "keyVaultPublicAccess", "storagePublicAccess", "subnetFirewall", "tagTeam");
    deny("keyVaultFirewall", "storageFirewall", "storageSharedKey", "storageAnonymous", "storageTls");
    const settings = { existing, outbound: "subnet", tags: { team: "web" }, ...closed };
    await up(settings);
    expect(await up(settings)).toEqual([]);
  });

  it("have their names in a company's own zones, which stay as they were, in whatever subscription they are", async () => {
    const subnet = await hubSubnet();
    const zone = (privateZoneName: string) =>
      stack.make("privatedns:PrivateZone", { ...place, location: "global", privateZoneName });
    const vaultZone = await zone("privatelink.vaultcore.azure.net");
    const blobZone = await zone("privatelink.blob.core.windows.net");
    const before = stack.cloud.list({ type: ZONE });
    const settings = { existing: { subnet, vaultZone, blobZone }, outbound: "subnet", ...closed };
    const made = await up(settings);
    expect(made.filter((change) => /-(zone|link)$/.test(change))).toEqual([]);
    const groups = stack.cloud.list({ type: "Microsoft.Network/privateEndpoints/privateDnsZoneGroups" });
    const named = groups.map(({ properties }) =>
      valuesAt(properties, "privateDnsZoneConfigs[].properties.privateDnsZoneId").map(({ value }) => value),
    );
    expect(named.flat().sort()).toEqual([blobZone, vaultZone].sort());
    expect(await up(settings)).toEqual([]);
    // Only one of them is the company's: the other is the stack's own, and linked to the company's network.
    expect(await up({ ...settings, existing: { subnet, vaultZone } })).toEqual(
      expect.arrayContaining(["create network-blob-link", "create network-blob-zone"]),
    );
    await stack.engine.destroy();
    expect(stack.cloud.list({ type: ZONE })).toEqual(before);
  });

  it("in a zone that is not there are refused before anything is made; one elsewhere is for Azure to find", async () => {
    const subnet = await hubSubnet();
    const id = (subscription: string) =>
      `/subscriptions/${subscription}/resourceGroups/hub/providers/${ZONE}/privatelink.vaultcore.azure.net`;
    const settings = { outbound: "subnet", ...closed };
    const missing = { ...settings, existing: { subnet, vaultZone: id(stack.cloud.subscriptionId) } };
    await stack.engine.setConfig(configure(missing));
    await expect(stack.engine.preview()).rejects.toThrow(
      "existing.vaultZone privatelink.vaultcore.azure.net does not exist: set sealed-onion:existing.vaultZone",
    );
    await stack.engine.setConfig(configure({ ...settings, existing: { subnet, vaultZone: id("elsewhere") } }));
    await stack.engine.preview();
  });

  it.each<[denied: BuiltInPolicy, settings: Readonly<Record<string, unknown>>, resource: string]>([
    ["keyVaultPublicAccess", {}, "so-dev-"],
    ["keyVaultFirewall", {}, "so-dev-"],
    ["storagePublicAccess", { network: { allow: ["198.51.100.7"] } }, "sodev"],
    ["noPublicAddress", closed, "sealed-onion-dev-"],
  ])("without them %s refuses, as Azure words it", async (policy, settings, resource) => {
    deny(policy);
    await stack.engine.setConfig(configure(settings));
    const error: unknown = await stack.engine.up().catch((refused: unknown) => refused);
    expect(`${(error as Error).message}`).toMatch(
      new RegExp(`RequestDisallowedByPolicy.*Resource '${resource}\\w*' was disallowed by policy`),
    );
  });
});
