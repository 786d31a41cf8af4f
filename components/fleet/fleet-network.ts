import { NetworkInterface } from "@pulumi/azure-native/network/networkInterface";
import { NetworkSecurityGroup } from "@pulumi/azure-native/network/networkSecurityGroup";
import { Subnet } from "@pulumi/azure-native/network/subnet";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork";
import type * as pulumi from "@pulumi/pulumi";
import { azureName } from "../azure/azure-name";
import {
  addAddress,
  denyInbound,
  endpointsFor,
  type NetworkPlace,
  type OwnSubnet,
  ownSubnet,
  type ServiceEndpoints,
} from "../network/closed-network";

const NETWORK = "10.0.0.0/24";
/** Room for twice eight replicas and two front ends: Azure keeps 5 of the 64 addresses. */
const SUBNET = "10.0.0.0/26";

/** Where a machine is attached, and in which zone its own address is. */
export interface Attachment {
  readonly vmName: pulumi.Input<string>;
  readonly zones: readonly string[];
  /** What the machine itself waits for: a NIC that was made long before its machine would be left over where that fails. */
  readonly after: readonly pulumi.Resource[];
}

/** One network for a fleet, which lets nothing in, not from one of its machines to another either. */
export interface FleetNetwork {
  /** A NIC with an address of its own, to get out by, called like its machine. */
  nic(name: string, attachment: Attachment): NetworkInterface;
}

/** Its name is not that of a single machine's network: the one is there while the other takes its place. */
export function fleetSubnet(
  parent: pulumi.Resource,
  name: string,
  { stack, ...place }: NetworkPlace & { readonly stack: string },
  serviceEndpoints: ServiceEndpoints = [],
): OwnSubnet {
  const called = `sealed-onion-${stack}-fleet`;
  const child = { parent, deleteBeforeReplace: true };
  const firewall = new NetworkSecurityGroup(
    `${name}-fleet-firewall`,
    { ...place, networkSecurityGroupName: called, securityRules: [denyInbound()] },
    child,
  );
  const network = new VirtualNetwork(
    `${name}-fleet-network`,
    { ...place, virtualNetworkName: called, addressSpace: { addressPrefixes: [NETWORK] } },
    child,
  );
  const subnet = new Subnet(
    `${name}-fleet-subnet`,
    {
      resourceGroupName: place.resourceGroupName,
      virtualNetworkName: azureName(network),
      subnetName: "machines",
      addressPrefix: SUBNET,
      defaultOutboundAccess: false,
      networkSecurityGroup: { id: firewall.id },
      ...endpointsFor(serviceEndpoints),
    },
    child,
  );
  return ownSubnet(subnet, network, firewall);
}

/** Machines' NICs in a fleet's subnet. */
export function fleetNetwork(
  parent: pulumi.Resource,
  place: NetworkPlace,
  subnetId: pulumi.Input<string>,
): FleetNetwork {
  return {
    nic(machine, { after, vmName, zones }) {
      const perMachine = { parent, dependsOn: [...after], deleteBeforeReplace: false };
      const address = addAddress(`${machine}-address`, place, vmName, perMachine, zones);
      const configuration = {
        name: "machine",
        primary: true,
        subnet: { id: subnetId },
        publicIPAddress: { id: address.id },
      };
      const args = { ...place, networkInterfaceName: vmName, ipConfigurations: [configuration] };
      return new NetworkInterface(`${machine}-nic`, args, perMachine);
    },
  };
}
