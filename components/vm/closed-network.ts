import { NatGateway } from "@pulumi/azure-native/network/natGateway";
import { NetworkInterface } from "@pulumi/azure-native/network/networkInterface";
import { NetworkSecurityGroup } from "@pulumi/azure-native/network/networkSecurityGroup";
import { PublicIPAddress } from "@pulumi/azure-native/network/publicIPAddress";
import { Subnet } from "@pulumi/azure-native/network/subnet";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork";
import type * as pulumi from "@pulumi/pulumi";
import { azureName } from "../azure/azure-name";
import type { MachineSettings } from "./machine";

/** Where a machine's network is made, and how the machine gets out. */
export interface ClosedNetworkArgs extends Pick<MachineSettings, "outbound"> {
  readonly stack: string;
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  /** The machine's: its NIC and its own address are called like it, as they are made again with it. */
  readonly vmName: pulumi.Input<string>;
}

export interface NetworkPlace {
  readonly resourceGroupName: pulumi.Input<string>;
  readonly location: string;
}

const NETWORK = "10.0.0.0/24";
const SUBNET = "10.0.0.0/29";

/** One NIC in a network of its own that lets nothing in, and out by an address of its own or a NAT gateway. */
export function closedNetwork(parent: pulumi.Resource, name: string, args: ClosedNetworkArgs): NetworkInterface {
  const { location, resourceGroupName, stack, vmName } = args;
  const place = { resourceGroupName, location };
  const called = `sealed-onion-${stack}`;
  const child = { parent, deleteBeforeReplace: true };
  const perMachine = { parent, deleteBeforeReplace: false };
  const nsg = new NetworkSecurityGroup(
    `${name}-firewall`,
    { ...place, networkSecurityGroupName: called, securityRules: [denyInbound()] },
    child,
  );
  const way = args.outbound === "natGateway" ? throughGateway(name, place, called, child) : undefined;
  const ownAddress = way === undefined ? addAddress(`${name}-address`, place, vmName, perMachine) : undefined;
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
      networkSecurityGroup: { id: nsg.id },
      ...(way === undefined ? {} : { natGateway: { id: way.id } }),
    },
    child,
  );
  const publicly = ownAddress === undefined ? {} : { publicIPAddress: { id: ownAddress.id } };
  const configuration = { name: "machine", primary: true, subnet: { id: subnet.id }, ...publicly };
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
