import { NetworkInterface } from "@pulumi/azure-native/network/networkInterface";
import { NetworkSecurityGroup } from "@pulumi/azure-native/network/networkSecurityGroup";
import type * as pulumi from "@pulumi/pulumi";
import { denyInbound } from "./closed-network";

/** A subnet that somebody else has made, and a machine that gets a NIC in it. */
export interface SubnetNicArgs {
  readonly stack: string;
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  /** The machine's: its NIC is called like it. */
  readonly vmName: pulumi.Input<string>;
  /** `/subscriptions/…/virtualNetworks/NAME/subnets/NAME`, with a way out of its own. */
  readonly subnetId: pulumi.Input<string>;
}

/** A NIC in an existing subnet that lets nothing in. The subnet and its network stay as they are. */
export function subnetNic(parent: pulumi.Resource, name: string, args: SubnetNicArgs): NetworkInterface {
  const { location, resourceGroupName, stack, subnetId, vmName } = args;
  const place = { resourceGroupName, location };
  const firewall = new NetworkSecurityGroup(
    `${name}-firewall`,
    { ...place, networkSecurityGroupName: `sealed-onion-${stack}`, securityRules: [denyInbound()] },
    { parent, deleteBeforeReplace: true },
  );
  const ipConfigurations = [{ name: "machine", primary: true, subnet: { id: subnetId } }];
  return new NetworkInterface(
    `${name}-card`,
    { ...place, networkInterfaceName: vmName, networkSecurityGroup: { id: firewall.id }, ipConfigurations },
    { parent, deleteBeforeReplace: false },
  );
}
