import type { CloudResource } from "../../cloud";
import { refuse, textAt, usersOf, valuesAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { isMap } from "../values";
import { freeAddress, parseNetwork } from "./addresses";
import { ADDRESS } from "./network-edge";
import { groupName } from "./resources";
import { networkName, SUBNET } from "./virtual-network";

const CARD = "Microsoft.Network/networkInterfaces";
const CONFIGURATIONS = "ipConfigurations[]";

function validate({ cloud, wanted, id }: Situation): void {
  const configurations = valuesAt(wanted.properties, CONFIGURATIONS).map(({ value }) => value);
  if (configurations.length === 0)
    refuse(
      400,
      "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
      `Network interface ${id} must have at least one IP configuration.`,
    );
  for (const configuration of configurations) {
    if (textAt(configuration, "name") === undefined)
      refuse(400, "InvalidRequestFormat", `An IP configuration of network interface ${wanted.name} has no name.`);
    if (textAt(configuration, "properties.subnet.id") === undefined)
      refuse(
        400,
        "IpConfigurationSubnetMissing",
        `IP configuration ${textAt(configuration, "name")} of ${id} has no subnet.`,
      );
  }
  for (const { value } of valuesAt(wanted.properties, `${CONFIGURATIONS}.properties.publicIPAddress.id`)) {
    const users = usersOf(cloud, CARD, `properties.${CONFIGURATIONS}.properties.publicIPAddress.id`, String(value));
    const other = users.find((card) => card.id.toLowerCase() !== id.toLowerCase());
    if (other !== undefined)
      refuse(
        400,
        "PublicIPAddressInUse",
        `Resource ${id} is referencing public IP address ${value} that is already allocated to resource ${other.id}.`,
      );
  }
}

function addressesIn({ cloud }: Situation, subnetId: string): string[] {
  const cards = usersOf(cloud, CARD, `properties.${CONFIGURATIONS}.properties.subnet.id`, subnetId);
  return cards.flatMap((card) =>
    valuesAt(card.properties, `${CONFIGURATIONS}.properties.privateIPAddress`).map(({ value }) => String(value)),
  );
}

function configured(situation: Situation, value: unknown, index: number): unknown {
  const given = isMap(value) ? value : {};
  const properties = isMap(given.properties) ? given.properties : {};
  const subnetId = textAt(properties, "subnet.id") ?? "";
  const before = valuesAt(situation.existing?.properties, `${CONFIGURATIONS}.properties.privateIPAddress`)[index]
    ?.value;
  const network = parseNetwork(textAt(situation.cloud.get(subnetId)?.properties, "addressPrefix") ?? "");
  const free = network && freeAddress(network, addressesIn(situation, subnetId));
  const privateIPAddress = properties.privateIPAddress ?? before ?? free;
  const defaults = { privateIPAllocationMethod: "Dynamic", privateIPAddressVersion: "IPv4", primary: index === 0 };
  return {
    ...given,
    id: `${situation.id}/ipConfigurations/${given.name}`,
    properties: { ...defaults, ...properties, privateIPAddress, provisioningState: "Succeeded" },
  };
}

function complete(situation: Situation): CloudResource {
  const { wanted } = situation;
  const ipConfigurations = valuesAt(wanted.properties, CONFIGURATIONS).map(({ value }, index) =>
    configured(situation, value, index),
  );
  const defaults = { enableAcceleratedNetworking: false, enableIPForwarding: false, nicType: "Standard" };
  return {
    ...wanted,
    properties: { ...defaults, ...wanted.properties, ipConfigurations, provisioningState: "Succeeded" },
  };
}

/** Source: https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/create-or-update */
export const networkInterface: ResourceKind = {
  token: "azure-native:network:NetworkInterface",
  type: CARD,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/networkInterfaces/{networkInterfaceName}",
  apiVersion: "2024-05-01",
  models: "network",
  request: "NetworkInterface",
  response: "NetworkInterface",
  names: [groupName, networkName("networkInterfaceName", "random")],
  hasLocation: true,
  allowed: { "ipConfigurations[].privateIPAllocationMethod": ["Static", "Dynamic"] },
  references: [
    { path: "ipConfigurations[].subnet.id", types: [SUBNET] },
    { path: "ipConfigurations[].publicIPAddress.id", types: [ADDRESS] },
    { path: "networkSecurityGroup.id", types: ["Microsoft.Network/networkSecurityGroups"] },
  ],
  validate,
  complete,
  remove({ cloud, existing }) {
    const machines = usersOf(
      cloud,
      "Microsoft.Compute/virtualMachines",
      "properties.networkProfile.networkInterfaces[].id",
      existing.id,
    );
    if (machines[0] !== undefined)
      refuse(
        400,
        "NicInUse",
        `Network Interface ${existing.id} is used by existing resource ${machines[0].id}. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.`,
      );
    return false;
  },
};
