import type { Cloud, CloudResource } from "../cloud";
import { textAt, usersOf, valuesAt } from "../provider/arm";

export const ENDPOINT = "Microsoft.Network/privateEndpoints";
export const ZONE = "Microsoft.Network/privateDnsZones";

/**
 * Whether a client's names lead it to a private endpoint: the endpoint is approved, its address is in a private zone, and
 * the client's network is linked to that zone.
 */
export function hasPrivateWay(cloud: Cloud, target: CloudResource, subnetId = "", group = ""): boolean {
  const network = subnetId.split("/").slice(0, -2).join("/").toLowerCase();
  if (network === "") return false;
  const endpoints = usersOf(cloud, ENDPOINT, CONNECTED, target.id).filter((endpoint) => serves(endpoint, group));
  return endpoints.flatMap((endpoint) => zonesOf(cloud, endpoint)).some((zone) => isLinked(cloud, zone, network));
}

const CONNECTIONS = "properties.privateLinkServiceConnections[].properties";
const CONNECTED = `${CONNECTIONS}.privateLinkServiceId`;

function serves(endpoint: CloudResource, group: string): boolean {
  const [connection] = valuesAt(endpoint, CONNECTIONS);
  const isApproved = textAt(connection?.value, "privateLinkServiceConnectionState.status") === "Approved";
  return isApproved && valuesAt(connection?.value, "groupIds[]").some(({ value }) => value === group);
}

function zonesOf(cloud: Cloud, endpoint: CloudResource): string[] {
  const groups = cloud.list({ type: `${ENDPOINT}/privateDnsZoneGroups`, under: endpoint.id });
  return groups.flatMap((group) =>
    valuesAt(group, "properties.privateDnsZoneConfigs[].properties.privateDnsZoneId").map(({ value }) => `${value}`),
  );
}

function isLinked(cloud: Cloud, zone: string, network: string): boolean {
  const links = cloud.list({ type: `${ZONE}/virtualNetworkLinks`, under: zone });
  return links.some((link) => textAt(link, "properties.virtualNetwork.id")?.toLowerCase() === network);
}
