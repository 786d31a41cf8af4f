import * as pulumi from "@pulumi/pulumi";
import { cloudNamed } from "../azure/clouds";
import { programSettings } from "../azure/program-settings";
import { fleetSubnet } from "../fleet/fleet-network";
import { closedSubnet, type NetworkPlace } from "../network/closed-network";
import { GuardedNetwork } from "../network/guarded-network";
import type { StackConfig } from "./config";
import { inPlace, type Placed } from "./place";

/** Makes the network that vault and account are reached from, where the configuration says who reaches them. */
export function networkFor(config: StackConfig): {
  readonly network?: (place: NetworkPlace) => GuardedNetwork;
  readonly bySubnet?: boolean;
} {
  const { fleet, machine, network: settings, stack, vault } = config;
  const { blobZone, vaultZone } = vault.existing ?? {};
  if (settings === undefined) return {};
  const { name, options } = withEitherParent(inPlace("network", config), config);
  const vm = inPlace("vm", config).name;
  const cloud = cloudNamed(programSettings().environment?.value);
  const network = (place: NetworkPlace) =>
    new GuardedNetwork(
      name,
      {
        ...{ ...place, settings, cloud, existingSubnetId: machine.subnetId },
        existingZoneIds: { blob: blobZone, vault: vaultZone },
        subnet: (parent, services) =>
          fleet === undefined
            ? closedSubnet(parent, vm, { ...place, stack, outbound: machine.outbound }, services)
            : fleetSubnet(parent, vm, { ...place, stack }, services),
      },
      options,
    );
  return { network, bySubnet: !settings.privateEndpoints };
}

/** The resources of a network that outlive the dial by which its parent becomes another one. */
const KEPT = ["NatGateway", "NetworkSecurityGroup", "PublicIPAddress", "Subnet", "VirtualNetwork"];

/** A network belongs to the machine, or to what vault and account are reached from: the same one, before and after. */
export function withEitherParent({ name, options }: Placed, config: StackConfig): Placed {
  const vm = inPlace("vm", config).name;
  const parents = [
    pulumi.createUrn(vm, "sealed-onion:index:OnionVm"),
    pulumi.createUrn(vm, "sealed-onion:index:OnionFleet"),
    pulumi.createUrn(inPlace("network", config).name, "sealed-onion:index:GuardedNetwork"),
  ];
  const aliases = parents.map((parent) => ({ parent }));
  const keep: pulumi.ResourceTransformation = ({ opts, props, type }) => {
    const isKept = KEPT.some((kind) => type === `azure-native:network:${kind}`);
    return isKept ? { props, opts: { ...opts, aliases: [...(opts.aliases ?? []), ...aliases] } } : undefined;
  };
  return { name, options: { ...options, transformations: [...(options.transformations ?? []), keep] } };
}
