import { PrivateDnsZoneGroup } from "@pulumi/azure-native/network/privateDnsZoneGroup";
import { PrivateEndpoint } from "@pulumi/azure-native/network/privateEndpoint";
import { PrivateZone } from "@pulumi/azure-native/privatedns/privateZone";
import { VirtualNetworkLink } from "@pulumi/azure-native/privatedns/virtualNetworkLink";
import type * as pulumi from "@pulumi/pulumi";
import { azureName } from "../azure/azure-name";
import { type AzureCloud, privateZoneName } from "../azure/clouds";
import type { NetworkPlace } from "./closed-network";
import type { Guarded } from "./network-guard";

/** Where private endpoints are, and where their names are looked up. */
export interface PrivateNetwork {
  readonly subnetId: pulumi.Input<string>;
  readonly zones: Readonly<Record<Guarded, PrivateDns>>;
}

/** A private zone, and what has to be there before a network asks it; nothing of a zone that somebody else has linked. */
export interface PrivateDns {
  readonly zoneId: pulumi.Output<string>;
  readonly link?: pulumi.Resource;
}

interface ZoneArgs {
  readonly cloud: AzureCloud;
  readonly kind: Guarded;
  readonly networkId: pulumi.Input<string>;
  readonly resourceGroupName: pulumi.Input<string>;
}

/** A private DNS zone for the endpoints of one kind, which the network asks in place of the public one. */
export function privateZone(parent: pulumi.Resource, name: string, args: ZoneArgs): PrivateDns {
  const { cloud, kind, networkId, resourceGroupName } = args;
  const place = { resourceGroupName, location: "global" };
  const zone = new PrivateZone(
    `${name}-${kind}-zone`,
    { ...place, privateZoneName: privateZoneName(cloud, kind) },
    { parent },
  );
  const link = new VirtualNetworkLink(
    `${name}-${kind}-link`,
    {
      ...place,
      privateZoneName: azureName(zone),
      virtualNetworkLinkName: "machines",
      registrationEnabled: false,
      virtualNetwork: { id: networkId },
    },
    { parent, deleteBeforeReplace: true },
  );
  return { zoneId: zone.id, link };
}

interface EndpointArgs extends NetworkPlace, PrivateNetwork {
  readonly kind: Guarded;
  readonly targetId: pulumi.Input<string>;
}

/** A private endpoint of a vault or an account, under the name that its clients know it by. */
export function privateEndpoint(parent: pulumi.Resource, name: string, args: EndpointArgs): pulumi.Resource[] {
  const { kind, location, resourceGroupName, subnetId, targetId, zones } = args;
  const endpoint = new PrivateEndpoint(
    name,
    {
      ...{ resourceGroupName, location, privateEndpointName: name, subnet: { id: subnetId } },
      privateLinkServiceConnections: [{ name: kind, groupIds: [kind], privateLinkServiceId: targetId }],
    },
    // Another target is another endpoint: Azure does not change where one leads.
    { parent, deleteBeforeReplace: true, replaceOnChanges: ["privateLinkServiceConnections", "subnet"] },
  );
  const { link, zoneId } = zones[kind];
  const group = new PrivateDnsZoneGroup(
    `${name}-dns`,
    {
      resourceGroupName,
      privateEndpointName: azureName(endpoint),
      privateDnsZoneGroupName: "default",
      privateDnsZoneConfigs: [{ name: kind, privateDnsZoneId: zoneId }],
    },
    { parent, deleteBeforeReplace: true },
  );
  return link === undefined ? [group] : [group, link];
}
