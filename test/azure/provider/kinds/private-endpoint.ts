import type { CloudResource } from "../../cloud";
import { ENDPOINT, ZONE } from "../../network/private-way";
import { parseId, refuse, textAt, usersOf, valuesAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { isMap } from "../values";
import { freeAddress, parseNetwork } from "./addresses";
import { groupName } from "./resources";
import { networkName, SUBNET } from "./virtual-network";

/** What of a resource an endpoint can lead to. Source: https://learn.microsoft.com/azure/private-link/private-endpoint-overview */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Microsoft.KeyVault/vaults": ["vault"],
  "Microsoft.Storage/storageAccounts": ["blob", "blob_secondary", "dfs", "file", "queue", "table", "web"],
};

const CONNECTIONS = "privateLinkServiceConnections[]";

function validate({ wanted, cloud }: Situation): void {
  const connections = valuesAt(wanted.properties, `${CONNECTIONS}.properties`);
  if (connections.length !== 1)
    refuse(
      400,
      "PrivateEndpointMustHaveOneConnection",
      `Private endpoint ${wanted.id} must have exactly one private link service connection.`,
    );
  const target = textAt(connections[0]?.value, "privateLinkServiceId") ?? "";
  const { type = "" } = parseId(target) ?? {};
  const groups = GROUPS[type];
  if (groups === undefined || cloud.get(target) === undefined)
    refuse(
      400,
      "InvalidResourceReference",
      `Resource ${target} referenced by resource ${wanted.id} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
    );
  const given = valuesAt(connections[0]?.value, "groupIds[]").map(({ value }) => `${value}`);
  if (given.length === 1 && groups.includes(given[0] ?? "")) return;
  refuse(
    400,
    "PrivateEndpointInvalidGroupIds",
    `Private endpoint ${wanted.id} has invalid groupIds ${given.join(", ") || "(none)"} for ${target}, supported are ${groups.join(", ")}.`,
  );
}

/** An endpoint of one's own resource is approved at once. */
function complete(situation: Situation): CloudResource {
  const { wanted } = situation;
  const privateLinkServiceConnections = valuesAt(wanted.properties, CONNECTIONS).map(({ value }) => {
    const connection = isMap(value) ? value : {};
    const properties = isMap(connection.properties) ? connection.properties : {};
    const privateLinkServiceConnectionState = { status: "Approved", description: "", actionsRequired: "None" };
    return { ...connection, properties: { ...properties, privateLinkServiceConnectionState } };
  });
  const properties = { ...wanted.properties, privateLinkServiceConnections, provisioningState: "Succeeded" };
  return { ...wanted, properties: { ...properties, customDnsConfigs: [{ ipAddresses: [addressIn(situation)] }] } };
}

function addressIn({ cloud, wanted }: Situation): string | undefined {
  const subnetId = textAt(wanted.properties, "subnet.id") ?? "";
  const others = usersOf(cloud, ENDPOINT, "properties.subnet.id", subnetId).filter(({ id }) => id !== wanted.id);
  const taken = others.flatMap(({ properties }) => valuesAt(properties, "customDnsConfigs[].ipAddresses[]"));
  const network = parseNetwork(textAt(cloud.get(subnetId)?.properties, "addressPrefix") ?? "");
  const free =
    network &&
    freeAddress(
      network,
      taken.map(({ value }) => `${value}`),
    );
  if (network !== undefined && free === undefined)
    refuse(400, "SubnetIsFull", `Subnet ${subnetId} does not have enough capacity for 1 IP addresses.`);
  return free;
}

const BASE = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network";

/** Source: https://learn.microsoft.com/rest/api/virtualnetwork/private-endpoints/create-or-update */
export const privateEndpoint: ResourceKind = {
  token: "azure-native:network:PrivateEndpoint",
  type: ENDPOINT,
  path: `${BASE}/privateEndpoints/{privateEndpointName}`,
  apiVersion: "2024-05-01",
  models: "network",
  request: "PrivateEndpoint",
  response: "PrivateEndpoint",
  names: [groupName, networkName("privateEndpointName", "random")],
  hasLocation: true,
  replaceOn: ["location"],
  required: ["subnet", "subnet.id"],
  references: [{ path: "subnet.id", types: [SUBNET] }],
  immutable: [{ path: "subnet.id" }],
  validate,
  complete,
};

/** Source: https://learn.microsoft.com/rest/api/virtualnetwork/private-dns-zone-groups/create-or-update */
export const privateDnsZoneGroup: ResourceKind = {
  token: "azure-native:network:PrivateDnsZoneGroup",
  type: `${ENDPOINT}/privateDnsZoneGroups`,
  path: `${BASE}/privateEndpoints/{privateEndpointName}/privateDnsZoneGroups/{privateDnsZoneGroupName}`,
  apiVersion: "2024-05-01",
  models: "network",
  request: "PrivateDnsZoneGroup",
  response: "PrivateDnsZoneGroup",
  names: [groupName, networkName("privateEndpointName"), networkName("privateDnsZoneGroupName", "random")],
  hasLocation: false,
  references: [{ path: "privateDnsZoneConfigs[].privateDnsZoneId", types: [ZONE], sameRegion: false }],
  complete: ({ wanted }) => ({ ...wanted, properties: { ...wanted.properties, provisioningState: "Succeeded" } }),
};
