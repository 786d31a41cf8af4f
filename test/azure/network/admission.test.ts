import { beforeEach, describe, expect, it } from "vitest";
import { BLOB_NETWORK, VAULT_NETWORK } from "../provider/kinds/network-rules";
import type { PropertyMap } from "../provider/values";
import { makeWorld, type World } from "../provider/world";
import { type Admission, admission } from "./admission";

let world: World;
let vm: string;
beforeEach(async () => {
  world = await makeWorld();
  vm = (await world.create("compute:VirtualMachine", world.machine())).id;
  await world.create("network:Subnet", {
    ...world.place,
    virtualNetworkName: "vnet1",
    subnetName: "with-endpoints",
    addressPrefix: "10.0.0.64/28",
    serviceEndpoints: [{ service: "Microsoft.KeyVault" }, { service: "Microsoft.Storage" }],
  });
});

const DENY = { bypass: "None", defaultAction: "Deny" };
/** Of the workstation, and of the machine's own address: both for documentation. */
const WORKSTATION = "198.51.100.7";
const MACHINE = "203.0.113.4";

async function guard(rules: PropertyMap, publicNetworkAccess = "Enabled"): Promise<void> {
  const { cloud, vault } = world;
  const stored = cloud.get(vault.id);
  if (stored === undefined) throw new Error("no vault");
  cloud.put({ ...stored, properties: { ...stored.properties, networkAcls: rules, publicNetworkAccess } });
}

function asked(via: string): Admission {
  const stored = world.cloud.get(world.vault.id);
  if (stored === undefined) throw new Error("no vault");
  return admission(world.cloud, stored, via, VAULT_NETWORK);
}

const subnetId = () => world.subnet.id.replace("subnet1", "with-endpoints");

/** Puts the machine's NIC into that subnet. */
function move(to: string): void {
  const card = world.cloud.get(world.card.id);
  if (card === undefined) throw new Error("no card");
  const ipConfigurations = [{ name: "one", properties: { subnet: { id: to } } }];
  world.cloud.put({ ...card, properties: { ...card.properties, ipConfigurations } });
}

/** A private endpoint of the vault, and what leads names to it; each can be left out. */
async function connect(parts: readonly ("group" | "link" | "zone")[]): Promise<void> {
  const { create, network, place, vault } = world;
  const connection = { name: "vault", groupIds: ["vault"], privateLinkServiceId: vault.id };
  await create("network:PrivateEndpoint", {
    ...place,
    privateEndpointName: "pe",
    subnet: { id: subnetId() },
    privateLinkServiceConnections: [connection],
  });
  if (!parts.includes("zone")) return;
  const zoneName = { privateZoneName: "privatelink.vaultcore.azure.net", location: "global" };
  const zone = await create("privatedns:PrivateZone", { ...place, ...zoneName });
  if (parts.includes("link"))
    await create("privatedns:VirtualNetworkLink", {
      ...{ ...place, ...zoneName, virtualNetworkLinkName: "machines" },
      virtualNetwork: { id: network.id },
    });
  if (parts.includes("group"))
    await create("network:PrivateDnsZoneGroup", {
      ...{ ...place, privateEndpointName: "pe", privateDnsZoneGroupName: "default" },
      privateDnsZoneConfigs: [{ name: "vault", privateDnsZoneId: zone.id }],
    });
}

describe("who gets through a vault's network rules (Microsoft Learn, key-vault/general/network-security)", () => {
  it.each<[what: string, rules: PropertyMap, workstation: Admission, machine: Admission]>([
    ["no rules", {}, { by: "public" }, { by: "public" }],
    ["rules that allow by default", { defaultAction: "Allow" }, { by: "public" }, { by: "public" }],
    [
      "rules that deny by default",
      DENY,
      { refused: "firewall", address: WORKSTATION },
      { refused: "firewall", address: MACHINE },
    ],
    [
      "an address",
      { ...DENY, ipRules: [{ value: WORKSTATION }] },
      { by: "address" },
      { refused: "firewall", address: MACHINE },
    ],
    [
      "a network",
      { ...DENY, ipRules: [{ value: "203.0.113.0/29" }] },
      { refused: "firewall", address: WORKSTATION },
      { by: "address" },
    ],
  ])("%s", async (_, rules, workstation, machine) => {
    await guard(rules);
    expect(asked("workstation")).toEqual(workstation);
    expect(asked(vm)).toEqual(machine);
  });

  it("a subnet counts where it has an endpoint for the service, and no other one does", async () => {
    await guard({ ...DENY, virtualNetworkRules: [{ id: subnetId() }, { id: world.subnet.id }] });
    expect(asked(vm)).toEqual({ refused: "firewall", address: MACHINE });
    move(subnetId());
    expect(asked(vm)).toEqual({ by: "subnet" });
    expect(asked("workstation")).toEqual({ refused: "firewall", address: WORKSTATION });
  });

  it.each<[what: string, parts: ("group" | "link" | "zone")[], machine: Admission]>([
    ["an endpoint alone", [], { refused: "connection", address: MACHINE }],
    ["a zone without a link", ["zone", "group"], { refused: "connection", address: MACHINE }],
    ["a zone without the endpoint's address", ["zone", "link"], { refused: "connection", address: MACHINE }],
    ["all of it", ["zone", "link", "group"], { by: "private endpoint" }],
  ])("with public access disabled: %s", async (_, parts, machine) => {
    await guard({}, "disabled");
    await connect(parts);
    expect(asked(vm)).toEqual(machine);
    expect(asked("workstation")).toEqual({ refused: "connection", address: WORKSTATION });
    world.cloud.workstation.subnetId = subnetId();
    const brought = "by" in machine ? machine : { refused: "connection", address: WORKSTATION };
    expect(asked("workstation")).toEqual(brought);
  });

  it("an endpoint of another part of a resource leads nowhere", () => {
    const stored = world.cloud.get(world.account.id);
    if (stored === undefined) throw new Error("no account");
    const closed = { ...stored, properties: { ...stored.properties, publicNetworkAccess: "Disabled" } };
    expect(admission(world.cloud, closed, "workstation", BLOB_NETWORK)).toMatchObject({ refused: "connection" });
  });
});
