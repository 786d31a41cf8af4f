import { NatGateway } from "@pulumi/azure-native/network/natGateway";
import { NetworkInterface } from "@pulumi/azure-native/network/networkInterface";
import { NetworkSecurityGroup } from "@pulumi/azure-native/network/networkSecurityGroup";
import { PublicIPAddress } from "@pulumi/azure-native/network/publicIPAddress";
import { Subnet } from "@pulumi/azure-native/network/subnet";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork";
import type * as pulumi from "@pulumi/pulumi";
import { azureName } from "../azure/azure-name";
import type { Outbound } from "./outbound";

export interface NetworkPlace {
  readonly resourceGroupName: pulumi.Input<string>;
  readonly location: string;
}

/** A network of a stack's own, and the subnet of it that machines are in. */
export interface OwnSubnet {
  readonly id: pulumi.Output<string>;
  /** Azure changes one subnet of a network after the other. */
  readonly resource: pulumi.Resource;
  readonly networkName: pulumi.Output<string>;
  readonly networkId: pulumi.Output<string>;
  /** Of the NSG that lets nothing in. */
  readonly securityGroupId: pulumi.Output<string>;
}

/** Services that firewalls know a subnet by; none where nothing asks. */
export type ServiceEndpoints = readonly string[];

interface ClosedSubnetArgs extends NetworkPlace {
  readonly stack: string;
  readonly outbound: Outbound;
}

const NETWORK = "10.0.0.0/24";
const SUBNET = "10.0.0.0/29";

/** A network of its own that lets nothing in, with a NAT gateway where that is the way out. */
export function closedSubnet(
  parent: pulumi.Resource,
  name: string,
  args: ClosedSubnetArgs,
  serviceEndpoints: ServiceEndpoints = [],
): OwnSubnet {
  const { location, resourceGroupName, stack } = args;
  const place = { resourceGroupName, location };
  const called = `sealed-onion-${stack}`;
  const child = { parent, deleteBeforeReplace: true };
  const firewall = new NetworkSecurityGroup(
    `${name}-firewall`,
    { ...place, networkSecurityGroupName: called, securityRules: [denyInbound()] },
    child,
  );
  const way = args.outbound === "natGateway" ? throughGateway(name, place, called, child) : undefined;
  const network = new VirtualNetwork(
    `${name}-network`,
    { ...place, virtualNetworkName: called, addressSpace: { addressPrefixes: [NETWORK] } },
    child,
  );
  const subnet = new Subnet(
    `${name}-subnet`,
    {
      resourceGroupName,
      virtualNetworkName: azureName(network),
      subnetName: "machine",
      addressPrefix: SUBNET,
      // Azure's hidden way out goes away; ours is declared.
      defaultOutboundAccess: false,
      networkSecurityGroup: { id: firewall.id },
      ...(way === undefined ? {} : { natGateway: { id: way.id } }),
      ...endpointsFor(serviceEndpoints),
    },
    child,
  );
  return ownSubnet(subnet, network, firewall);
}

export function ownSubnet(subnet: Subnet, network: VirtualNetwork, firewall: NetworkSecurityGroup): OwnSubnet {
  const { id } = subnet;
  return { id, resource: subnet, networkName: azureName(network), networkId: network.id, securityGroupId: firewall.id };
}

/** A subnet's endpoints for services. */
export function endpointsFor(services: ServiceEndpoints) {
  return services.length === 0 ? {} : { serviceEndpoints: services.map((service) => ({ service })) };
}

interface ClosedNicArgs extends NetworkPlace {
  readonly outbound: Outbound;
  /** The machine's: its NIC and its own address are called like it, as they are made again with it. */
  readonly vmName: pulumi.Input<string>;
  readonly subnetId: pulumi.Input<string>;
}

/** A machine's NIC in a subnet of the stack's own, with an address where that is the way out. */
export function closedNic(parent: pulumi.Resource, name: string, args: ClosedNicArgs): NetworkInterface {
  const { location, resourceGroupName, subnetId, vmName } = args;
  const place = { resourceGroupName, location };
  const perMachine = { parent, deleteBeforeReplace: false };
  const own = args.outbound === "publicIp" ? addAddress(`${name}-address`, place, vmName, perMachine) : undefined;
  const publicly = own === undefined ? {} : { publicIPAddress: { id: own.id } };
  const configuration = { name: "machine", primary: true, subnet: { id: subnetId }, ...publicly };
  return new NetworkInterface(
    `${name}-card`,
    { ...place, networkInterfaceName: vmName, ipConfigurations: [configuration] },
    perMachine,
  );
}

/** Its address is another one than a machine's own: an address is in one place only, and the dial may be turned. */
function throughGateway(
  name: string,
  place: NetworkPlace,
  called: string,
  options: pulumi.CustomResourceOptions,
): NatGateway {
  const address = addAddress(`${name}-gateway-address`, place, `${called}-gateway`, options);
  const addresses = { publicIpAddresses: [{ id: address.id }] };
  const args = { ...place, natGatewayName: called, sku: { name: "Standard" }, ...addresses };
  return new NatGateway(`${name}-gateway`, args, options);
}

/** @param zones the one that it is in. @default none: Azure's choice */
export function addAddress(
  name: string,
  place: NetworkPlace,
  publicIpAddressName: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
  zones: readonly string[] = [],
): PublicIPAddress {
  const zonal = zones.length === 0 ? {} : { zones: [...zones] };
  const sku = { name: "Standard" };
  const args = { ...place, publicIpAddressName, publicIPAllocationMethod: "Static", sku, ...zonal };
  return new PublicIPAddress(name, args, options);
}

/** Before Azure's own rules, which would let in the virtual network and the load balancer. */
export function denyInbound() {
  return {
    name: "deny-all-inbound",
    description: "An onion service dials out: nothing has to come in",
    priority: 4096,
    direction: "Inbound",
    access: "Deny",
    protocol: "*",
    sourceAddressPrefix: "*",
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: "*",
  };
}
