import type { Cloud, CloudResource } from "../../cloud";
import { refuse, textAt, usersOf, valuesAt } from "../arm";
import type { NameRule, ResourceKind, Situation } from "../resource-kind";
import { isMap, type PropertyMap } from "../values";
import { holds, type Network, overlap, parseNetwork } from "./addresses";
import { groupName } from "./resources";

export const NETWORK = "Microsoft.Network/virtualNetworks";
export const SUBNET = `${NETWORK}/subnets`;

const NETWORK_PATH =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}";

/** Names in Microsoft.Network. */
export function networkName(input: string, automatic?: "random"): NameRule {
  return {
    input,
    pattern: /^[a-z0-9]([\w.-]{0,78}\w)?$/i,
    rule: "1-80 letters, digits, underscores, periods and hyphens, a letter or digit first, no period or hyphen last",
    ...(automatic && { automatic }),
  };
}

function prefixes(properties: unknown): string[] {
  const listed = valuesAt(properties, "addressPrefixes[]").map(({ value }) => String(value));
  const single = textAt(properties, "addressPrefix");
  return single === undefined ? listed : [single, ...listed];
}

function networksOf(texts: string[], what: string): Network[] {
  return texts.map((text) => {
    const network = parseNetwork(text);
    if (network === undefined)
      refuse(
        400,
        "InvalidCIDRNotation",
        `The address prefix ${text} in resource ${what} has an invalid CIDR notation. For the given prefix length, the address prefix should be a network address.`,
      );
    return network;
  });
}

/** A network's subnets are resources of their own, whether they were given inside of it or apart. */
export function subnetsOf(cloud: Cloud, networkId: string): CloudResource[] {
  return cloud.list({ type: SUBNET, under: networkId });
}

function checkSubnet(cloud: Cloud, id: string, properties: PropertyMap, space: Network[]): void {
  const networkId = id.split("/").slice(0, -2).join("/");
  const name = id.split("/").at(-1);
  const own = networksOf(prefixes(properties), id);
  if (own.length === 0)
    refuse(400, "InvalidRequestFormat", `Subnet '${name}' has neither addressPrefix nor addressPrefixes.`);
  const short = own.find((network) => network.prefix > 29);
  if (short !== undefined)
    refuse(400, "NetcfgSubnetRangeTooSmall", `Subnet '${name}' has prefix length ${short.prefix}; the smallest is 29.`);
  if (!own.every((network) => space.some((outer) => holds(outer, network))))
    refuse(
      400,
      "NetcfgSubnetRangeOutsideVnet",
      `Subnet '${name}' is not valid because its IP address range is outside the IP address range of virtual network '${networkId.split("/").at(-1)}'.`,
    );
  for (const other of subnetsOf(cloud, networkId)) {
    if (other.id.toLowerCase() === id.toLowerCase()) continue;
    const theirs = networksOf(prefixes(other.properties), other.id);
    if (own.some((mine) => theirs.some((their) => overlap(mine, their))))
      refuse(
        400,
        "NetcfgSubnetRangesOverlap",
        `Subnet '${name}' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '${networkId.split("/").at(-1)}'.`,
      );
  }
}

/** Refuses a deletion while a network interface has an address in the subnet. */
function refuseInUse(cloud: Cloud, subnet: CloudResource): void {
  const path = "properties.ipConfigurations[].properties.subnet.id";
  const cards = usersOf(cloud, "Microsoft.Network/networkInterfaces", path, subnet.id);
  const [user] = [...cards, ...usersOf(cloud, "Microsoft.Network/privateEndpoints", "properties.subnet.id", subnet.id)];
  if (user !== undefined)
    refuse(
      400,
      "InUseSubnetCannotBeDeleted",
      `Subnet ${subnet.name} is in use by ${user.id} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.`,
    );
}

function inlineSubnets(situation: Situation): CloudResource[] {
  return valuesAt(situation.wanted.properties, "subnets[]").map(({ value }) => {
    const given = isMap(value) ? value : {};
    const id = `${situation.id}/subnets/${given.name}`;
    const properties = isMap(given.properties) ? given.properties : {};
    return {
      id,
      type: SUBNET,
      name: String(given.name),
      properties: { ...properties, provisioningState: "Succeeded" },
    };
  });
}

/** Source: https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/create-or-update */
export const virtualNetwork: ResourceKind = {
  token: "azure-native:network:VirtualNetwork",
  type: NETWORK,
  path: NETWORK_PATH,
  apiVersion: "2024-05-01",
  models: "network",
  request: "VirtualNetwork",
  response: "VirtualNetwork",
  names: [groupName, networkName("virtualNetworkName", "random")],
  hasLocation: true,
  required: ["addressSpace", "addressSpace.addressPrefixes"],
  replaceOn: ["location"],
  ownedElsewhere: ["subnets"],
  validate(situation) {
    const { cloud, wanted, id } = situation;
    const space = networksOf(prefixes(wanted.properties.addressSpace), id);
    if (space.length === 0) refuse(400, "InvalidRequestFormat", "A virtual network needs at least one address prefix.");
    for (const subnet of inlineSubnets(situation)) checkSubnet(cloud, subnet.id, subnet.properties, space);
    for (const subnet of subnetsOf(cloud, id)) checkSubnet(cloud, subnet.id, subnet.properties, space);
  },
  complete({ wanted }) {
    const { subnets: _, ...properties } = wanted.properties;
    return { ...wanted, properties: { ...properties, enableDdosProtection: false, provisioningState: "Succeeded" } };
  },
  answer(cloud, stored) {
    return { ...stored, properties: { ...stored.properties, subnets: subnetsOf(cloud, stored.id) } };
  },
  stored(situation) {
    for (const subnet of inlineSubnets(situation)) situation.cloud.put(subnet);
  },
  remove({ cloud, existing }) {
    for (const subnet of subnetsOf(cloud, existing.id)) refuseInUse(cloud, subnet);
    return false;
  },
};

/** Source: https://learn.microsoft.com/rest/api/virtualnetwork/subnets/create-or-update */
export const subnet: ResourceKind = {
  token: "azure-native:network:Subnet",
  type: SUBNET,
  path: `${NETWORK_PATH}/subnets/{subnetName}`,
  apiVersion: "2024-05-01",
  models: "network",
  request: "Subnet",
  response: "Subnet",
  names: [groupName, networkName("virtualNetworkName"), networkName("subnetName", "random")],
  hasLocation: false,
  references: [
    { path: "networkSecurityGroup.id", types: ["Microsoft.Network/networkSecurityGroups"] },
    { path: "natGateway.id", types: ["Microsoft.Network/natGateways"] },
  ],
  validate({ cloud, wanted, id }) {
    const network = cloud.get(id.split("/").slice(0, -2).join("/"));
    checkSubnet(cloud, id, wanted.properties, networksOf(prefixes(network?.properties.addressSpace), id));
  },
  complete: ({ wanted }) => ({ ...wanted, properties: { ...wanted.properties, provisioningState: "Succeeded" } }),
  remove({ cloud, existing }) {
    refuseInUse(cloud, existing);
    return false;
  },
};
