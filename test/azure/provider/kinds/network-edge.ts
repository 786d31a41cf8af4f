import type { CloudResource } from "../../cloud";
import { refuse, textAt, usersOf, valueAt, valuesAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { toAddress } from "./addresses";
import { groupName } from "./resources";
import { networkName, SUBNET } from "./virtual-network";

const BASE = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network";
export const ADDRESS = "Microsoft.Network/publicIPAddresses";
const GATEWAY = "Microsoft.Network/natGateways";
const CARD = "Microsoft.Network/networkInterfaces";

type Removal = { cloud: Situation["cloud"]; existing: CloudResource };

function checkRules({ wanted }: Situation): void {
  const seen = new Map<string, string>();
  for (const { value } of valuesAt(wanted.properties, "securityRules[]")) {
    const name = textAt(value, "name");
    const priority = Number(valueAt(value, "properties.priority"));
    if (name === undefined) refuse(400, "InvalidRequestFormat", "A security rule needs a name.");
    for (const part of ["protocol", "access", "direction"])
      if (textAt(value, `properties.${part}`) === undefined)
        refuse(400, "SecurityRuleParameterMissing", `Security rule ${name} has no ${part}.`);
    for (const [one, many] of [
      ["sourceAddressPrefix", "sourceAddressPrefixes"],
      ["destinationAddressPrefix", "destinationAddressPrefixes"],
      ["sourcePortRange", "sourcePortRanges"],
      ["destinationPortRange", "destinationPortRanges"],
    ])
      if (valueAt(value, `properties.${one}`) === undefined && valueAt(value, `properties.${many}`) === undefined)
        refuse(400, "SecurityRuleParameterMissing", `Security rule ${name} has neither ${one} nor ${many}.`);
    if (!(priority >= 100 && priority <= 4096))
      refuse(
        400,
        "SecurityRuleInvalidPriority",
        `Security rule has invalid Priority. Value provided: ${priority} Allowed range 100-4096.`,
      );
    const slot = `${textAt(value, "properties.direction")} ${priority}`;
    if (seen.has(slot))
      refuse(
        400,
        "SecurityRuleConflict",
        `Security rule ${name} conflicts with rule ${seen.get(slot)}. Rules cannot have the same Priority and Direction.`,
      );
    seen.set(slot, name);
  }
}

/** Source: https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups/create-or-update */
export const networkSecurityGroup: ResourceKind = {
  token: "azure-native:network:NetworkSecurityGroup",
  type: "Microsoft.Network/networkSecurityGroups",
  path: `${BASE}/networkSecurityGroups/{networkSecurityGroupName}`,
  apiVersion: "2024-05-01",
  models: "network",
  request: "NetworkSecurityGroup",
  response: "NetworkSecurityGroup",
  names: [groupName, networkName("networkSecurityGroupName", "random")],
  hasLocation: true,
  allowed: {
    "securityRules[].access": ["Allow", "Deny"],
    "securityRules[].direction": ["Inbound", "Outbound"],
    "securityRules[].protocol": ["*", "Tcp", "Udp", "Icmp", "Esp", "Ah"],
  },
  validate: checkRules,
  complete: ({ wanted }) => ({ ...wanted, properties: { ...wanted.properties, provisioningState: "Succeeded" } }),
  remove({ cloud, existing }: Removal) {
    const users = [
      ...usersOf(cloud, SUBNET, "properties.networkSecurityGroup.id", existing.id),
      ...usersOf(cloud, CARD, "properties.networkSecurityGroup.id", existing.id),
    ];
    if (users[0] !== undefined)
      refuse(
        400,
        "InUseNetworkSecurityGroupCannotBeDeleted",
        `Network security group ${existing.id} cannot be deleted because it is in use by the following resources: ${users.map(({ id }) => id).join(", ")}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.`,
      );
    return false;
  },
};

/** Source: https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses (Basic was retired on 30 September 2025). */
export const publicIpAddress: ResourceKind = {
  token: "azure-native:network:PublicIPAddress",
  type: ADDRESS,
  path: `${BASE}/publicIPAddresses/{publicIpAddressName}`,
  apiVersion: "2024-05-01",
  models: "network",
  request: "PublicIPAddress",
  response: "PublicIPAddress",
  names: [groupName, networkName("publicIpAddressName", "random")],
  hasLocation: true,
  allowed: {
    publicIPAllocationMethod: ["Static", "Dynamic"],
    publicIPAddressVersion: ["IPv4", "IPv6"],
    "sku.name": ["Basic", "Standard", "StandardV2"],
    "sku.tier": ["Regional", "Global"],
  },
  replaceOn: ["location", "publicIPAddressVersion", "publicIPPrefix", "sku"],
  validate({ wanted }) {
    const sku = textAt(wanted, "sku.name") ?? "Basic";
    if (sku === "Basic")
      refuse(
        400,
        "IPv4BasicSkuPublicIpCountLimitReached",
        "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.",
      );
    if (wanted.properties.publicIPAllocationMethod !== "Static")
      refuse(
        400,
        "StandardSkuPublicIPAddressesMustBeStatic",
        `${sku} sku publicIp ${wanted.id} must have AllocationMethod set to Static.`,
      );
  },
  complete({ wanted, existing, cloud }) {
    const number = 3_405_803_776 + ((cloud.list({ type: ADDRESS }).length + 4) % 250); // 203.0.113.0/24, for documentation
    const ipAddress = existing?.properties.ipAddress ?? toAddress(number);
    const defaults = { publicIPAddressVersion: "IPv4", idleTimeoutInMinutes: 4 };
    return { ...wanted, properties: { ...defaults, ...wanted.properties, ipAddress, provisioningState: "Succeeded" } };
  },
  remove({ cloud, existing }: Removal) {
    const cards = usersOf(cloud, CARD, "properties.ipConfigurations[].properties.publicIPAddress.id", existing.id);
    const [user] = [...cards, ...usersOf(cloud, GATEWAY, "properties.publicIpAddresses[].id", existing.id)];
    if (user !== undefined)
      refuse(
        400,
        "PublicIPAddressCannotBeDeleted",
        `Public IP address ${existing.id} can not be deleted since it is still allocated to resource ${user.id}. In order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to do this, see aka.ms/deletepublicip.`,
      );
    return false;
  },
};

/** Source: https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource */
export const natGateway: ResourceKind = {
  token: "azure-native:network:NatGateway",
  type: GATEWAY,
  path: `${BASE}/natGateways/{natGatewayName}`,
  apiVersion: "2024-05-01",
  models: "network",
  request: "NatGateway",
  response: "NatGateway",
  names: [groupName, networkName("natGatewayName", "random")],
  hasLocation: true,
  required: ["sku"],
  allowed: { "sku.name": ["Standard"] },
  references: [{ path: "publicIpAddresses[].id", types: [ADDRESS] }],
  validate({ wanted }) {
    const minutes = Number(wanted.properties.idleTimeoutInMinutes ?? 4);
    if (minutes < 4 || minutes > 120)
      refuse(
        400,
        "NatGatewayIdleTimeoutOutOfRange",
        `idleTimeoutInMinutes of a NAT gateway is 4 to 120, got ${minutes}.`,
      );
  },
  complete: ({ wanted }) => ({
    ...wanted,
    properties: { idleTimeoutInMinutes: 4, ...wanted.properties, provisioningState: "Succeeded" },
  }),
  remove({ cloud, existing }: Removal) {
    const [user] = usersOf(cloud, SUBNET, "properties.natGateway.id", existing.id);
    if (user !== undefined)
      refuse(
        400,
        "InUseNatGatewayCannotBeDeleted",
        `Nat Gateway ${existing.id} is in use by subnet ${user.id} and cannot be deleted.`,
      );
    return false;
  },
};
