import { Disk } from "@pulumi/azure-native/compute/disk";
import type * as pulumi from "@pulumi/pulumi";
import { at, choice, type Field, gather, optional, structure, wholeNumber } from "../config/fields";
import type { Zone } from "./hardware";

/** Kinds that any VM takes, each in the machine's own zone. */
const TYPES = ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS"] as const;

/** A disk of the stack that outlives its machines: tor's guards, and what services keep, are on it. */
export interface DataDisk {
  /** GiB, 4 to 32767. It can grow, never shrink. */
  readonly sizeGib: number;
  /** @default StandardSSD_LRS */
  readonly type: (typeof TYPES)[number];
}

export interface DataDiskArgs extends DataDisk {
  readonly stack: string;
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  /** The machine's: a disk of one zone is attached to no machine of another one. */
  readonly zone: Zone | undefined;
}

/** Where the machine finds it; nothing else is attached. */
const LUN = 0;

/** Reads configuration key `dataDisk`, which is off where it is empty. */
export function parseDataDisk(field: Field): DataDisk | undefined {
  const keys = structure(field, ["sizeGib", "type"]);
  if (Object.keys(keys).length === 0) return undefined;
  return gather<DataDisk>({
    sizeGib: () => wholeNumber(at(field.path, keys, "sizeGib"), 4, 32_767),
    type: () => optional(at(field.path, keys, "type"), "StandardSSD_LRS", (type) => choice(type, TYPES)),
  });
}

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
