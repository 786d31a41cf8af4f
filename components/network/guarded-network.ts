import { Subnet } from "@pulumi/azure-native/network/subnet";
import * as pulumi from "@pulumi/pulumi";
import type { AzureCloud } from "../azure/clouds";
import type { NetworkPlace, OwnSubnet, ServiceEndpoints } from "./closed-network";
import type { Guarded, NetworkGuard } from "./network-guard";
import type { NetworkSettings } from "./network-settings";
import { type PrivateDns, type PrivateNetwork, privateEndpoint, privateZone } from "./private-endpoint";

/** Beside the machines of a stack, and beside those of a fleet. */
const ENDPOINTS_SUBNET = "10.0.0.128/28";

export interface GuardedNetworkArgs extends NetworkPlace {
  readonly settings: NetworkSettings;
  readonly cloud: AzureCloud;
  /** Makes the network of the stack's own. */
  readonly subnet: (parent: pulumi.Resource, services: ServiceEndpoints) => OwnSubnet;
  /** In place of that, a subnet that somebody else has made: endpoints are in there, too. @default none */
  readonly existingSubnetId?: string | undefined;
  /** Zones that the existing subnet's network asks, in place of the stack's own. @default none */
  readonly existingZoneIds?: { readonly [K in Guarded]?: string | undefined };
}

/**
 * The network that a stack's vault and account are to be reached from, which is there before they are. It is this one's
 * where they have rules, and otherwise the machine's own.
 *
 *     const network = new GuardedNetwork("network", { location, resourceGroupName, settings, cloud, subnet });
 *     new SealingVault("vault", { network: () => network, ...args });
 */
export class GuardedNetwork extends pulumi.ComponentResource implements NetworkGuard {
  readonly allow: readonly string[];
  readonly publicAccess: NetworkGuard["publicAccess"];
  readonly subnetIds: readonly pulumi.Output<string>[];
  /** The machines' subnet, where it is the stack's own. */
  readonly ownSubnetId: pulumi.Output<string> | undefined;
  readonly #place: NetworkPlace;
  readonly #private: PrivateNetwork | undefined;

  constructor(name: string, args: GuardedNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:GuardedNetwork", name, {}, opts);
    const { existingSubnetId, location, resourceGroupName, settings } = args;
    const services = settings.privateEndpoints ? [] : ["Microsoft.KeyVault", "Microsoft.Storage"];
    const own = existingSubnetId === undefined ? args.subnet(this, services) : undefined;
    this.#place = { location, resourceGroupName };
    this.allow = settings.allow;
    this.publicAccess = settings.publicAccess;
    this.ownSubnetId = own?.id;
    // Behind the group's name, which is known once everything that exists was looked at.
    const existing = pulumi.output(resourceGroupName).apply(() => existingSubnetId ?? "");
    this.subnetIds = settings.privateEndpoints ? [] : [own?.id ?? existing];
    this.#private = settings.privateEndpoints ? this.#privateNetwork(name, args, own, existing) : undefined;
    this.registerOutputs({});
  }

  connect(parent: pulumi.Resource, name: string, kind: Guarded, targetId: pulumi.Input<string>): pulumi.Resource[] {
    if (this.#private === undefined) return [];
    return privateEndpoint(parent, name, { ...this.#place, ...this.#private, kind, targetId });
  }

  #privateNetwork(
    name: string,
    { cloud, existingZoneIds = {}, resourceGroupName }: GuardedNetworkArgs,
    own: OwnSubnet | undefined,
    existing: pulumi.Output<string>,
  ): PrivateNetwork {
    const networkId = own?.networkId ?? existing.apply((id) => id.split("/").slice(0, -2).join("/"));
    const zone = (kind: Guarded): PrivateDns => {
      const id = existingZoneIds[kind];
      if (id !== undefined) return { zoneId: existing.apply(() => id) };
      return privateZone(this, name, { cloud, kind, networkId, resourceGroupName });
    };
    const zones = { blob: zone("blob"), vault: zone("vault") };
    return { subnetId: own === undefined ? existing : endpointsSubnet(this, name, own, resourceGroupName), zones };
  }
}

/** A machine's own subnet is too small for more than machines. */
function endpointsSubnet(
  parent: pulumi.Resource,
  name: string,
  { securityGroupId, networkName, resource }: OwnSubnet,
  resourceGroupName: pulumi.Input<string>,
): pulumi.Output<string> {
  const args = {
    resourceGroupName,
    virtualNetworkName: networkName,
    subnetName: "endpoints",
    addressPrefix: ENDPOINTS_SUBNET,
    defaultOutboundAccess: false,
    networkSecurityGroup: { id: securityGroupId },
    // The security group, which lets nothing in, is not asked for what comes to an endpoint.
    privateEndpointNetworkPolicies: "Disabled",
  };
  return new Subnet(`${name}-endpoints`, args, { parent, dependsOn: [resource], deleteBeforeReplace: true }).id;
}
