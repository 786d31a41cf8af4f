import { Disk } from "@pulumi/azure-native/compute/disk";
import type * as pulumi from "@pulumi/pulumi";
import type { DataDisk } from "./data-disk-settings";
import type { Zone } from "./hardware";

export interface DataDiskArgs extends DataDisk {
  readonly stack: string;
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  /** The machine's: a disk of one zone is attached to no machine of another one. */
  readonly zone: Zone | undefined;
}

/** Where the machine finds it; nothing else is attached. */
const LUN = 0;

/**
 * The disk itself. Nothing but `destroy`, which takes the resource group along, deletes it: where the dial is taken away,
 * Pulumi lets go of it, and it stays in the group.
 */
export function dataDisk(parent: pulumi.Resource, name: string, args: DataDiskArgs): Disk {
  const { location, resourceGroupName, sizeGib, stack, type, zone } = args;
  return new Disk(
    `${name}-data`,
    {
      resourceGroupName,
      location,
      diskName: `sealed-onion-${stack}-data`,
      creationData: { createOption: "Empty" },
      diskSizeGB: sizeGib,
      sku: { name: type },
      // Nobody downloads it, or attaches it from elsewhere, by an address of its own.
      networkAccessPolicy: "DenyAll",
      publicNetworkAccess: "Disabled",
      ...(zone === undefined ? {} : { zones: [`${zone}`] }),
    },
    { parent, retainOnDelete: true },
  );
}

/** How a machine has it. */
export function attached(disk: Disk) {
  return {
    lun: LUN,
    createOption: "Attach" as const,
    // Not with the machine: the next one gets it.
    deleteOption: "Detach" as const,
    caching: "None" as const,
    managedDisk: { id: disk.id },
  };
}
