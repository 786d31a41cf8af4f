import { ENDPOINT, ZONE } from "../../network/private-way";
import { refuse, textAt, usersOf } from "../arm";
import type { Members } from "../models";
import type { NameRule, ResourceKind } from "../resource-kind";
import { groupName } from "./resources";
import { NETWORK, networkName } from "./virtual-network";

const LINK = `${ZONE}/virtualNetworkLinks`;
const ZONE_PATH =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/privateDnsZones/{privateZoneName}";
const ZONE_NAME: NameRule = {
  input: "privateZoneName",
  pattern: /^(?=.{3,63}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/i,
  rule: "a DNS name of 2 to 34 labels",
};

const text = (serializedName?: string) =>
  ({ ...(serializedName && { serializedName }), type: { name: "String" } }) as const;
const TAGS = { type: { name: "Dictionary", value: { type: { name: "String" } } } } as const;
/** Zones are nowhere in particular; the models of Microsoft.Network/privateDnsZones are in a package of their own. */
const common: Members = { location: text(), tags: TAGS };

const linkMembers: Members = {
  ...common,
  registrationEnabled: { serializedName: "properties.registrationEnabled", type: { name: "Boolean" } },
  resolutionPolicy: text("properties.resolutionPolicy"),
  virtualNetwork: {
    serializedName: "properties.virtualNetwork",
    type: { name: "Composite", className: "SubResource" },
  },
};

const answered = { name: text(), type: text(), etag: text() };

function checkGlobal(location: string | undefined): void {
  if (location?.toLowerCase() !== "global")
    refuse(
      400,
      "LocationNotAvailableForResourceType",
      `The provided location '${location}' is not available for resource type '${ZONE}'. List of available regions for the resource type is 'global'.`,
    );
}

/** Source: https://learn.microsoft.com/rest/api/dns/privatedns/private-zones/create-or-update */
export const privateZone: ResourceKind = {
  token: "azure-native:privatedns:PrivateZone",
  type: ZONE,
  path: ZONE_PATH,
  apiVersion: "2024-06-01",
  models: "network",
  request: common,
  response: { ...common, ...answered },
  names: [groupName, ZONE_NAME],
  hasLocation: false,
  validate: ({ wanted }) => checkGlobal(wanted.location),
  complete: ({ wanted }) => ({ ...wanted, properties: { ...wanted.properties, provisioningState: "Succeeded" } }),
  remove({ cloud, existing }) {
    const [link] = cloud.list({ type: LINK, under: existing.id });
    const path = "properties.privateDnsZoneConfigs[].properties.privateDnsZoneId";
    const [group] = usersOf(cloud, `${ENDPOINT}/privateDnsZoneGroups`, path, existing.id);
    if (link !== undefined || group !== undefined)
      refuse(
        409,
        "CannotDeleteResource",
        `Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '${(link ?? group)?.id}'. Please delete all nested resources before deleting this resource.`,
      );
    return false;
  },
};

/** Source: https://learn.microsoft.com/rest/api/dns/privatedns/virtual-network-links/create-or-update */
export const virtualNetworkLink: ResourceKind = {
  token: "azure-native:privatedns:VirtualNetworkLink",
  type: LINK,
  path: `${ZONE_PATH}/virtualNetworkLinks/{virtualNetworkLinkName}`,
  apiVersion: "2024-06-01",
  models: "network",
  request: linkMembers,
  response: { ...linkMembers, ...answered },
  names: [groupName, ZONE_NAME, networkName("virtualNetworkLinkName", "random")],
  hasLocation: false,
  required: ["virtualNetwork"],
  replaceOn: ["virtualNetwork"],
  references: [{ path: "virtualNetwork.id", types: [NETWORK], sameRegion: false }],
  validate({ cloud, wanted, id }) {
    checkGlobal(wanted.location);
    const zone = id.split("/").at(-3)?.toLowerCase();
    const network = textAt(wanted.properties, "virtualNetwork.id") ?? "";
    const other = usersOf(cloud, LINK, "properties.virtualNetwork.id", network).find(
      (link) => link.id.split("/").at(-3)?.toLowerCase() === zone && link.id.toLowerCase() !== id.toLowerCase(),
    );
    if (other !== undefined)
      refuse(
        400,
        "BadRequest",
        `A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link virtual network with '${zone}' and '${zone}' zones.`,
      );
  },
  complete({ wanted }) {
    const answer = { virtualNetworkLinkState: "Completed", provisioningState: "Succeeded" };
    return { ...wanted, properties: { registrationEnabled: false, ...wanted.properties, ...answer } };
  },
};
