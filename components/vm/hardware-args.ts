import type { Disk } from "@pulumi/azure-native/compute/disk";
import type * as pulumi from "@pulumi/pulumi";
import { attached } from "./data-disk";
import type { MachineSettings } from "./machine";
import { needsOf } from "./vm-size";

/**
 * What Azure refuses to change in place of what a machine runs on.
 * Source: https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update (`PropertyChangeNotAllowed`)
 */
export const HARDWARE_REPLACED_ON = [
  "storageProfile.osDisk.diffDiskSettings",
  "storageProfile.osDisk.managedDisk",
  "storageProfile.osDisk.diskSizeGB",
  "storageProfile.diskControllerType",
  "securityProfile",
  "priority",
  "zones",
];

/** The VM's properties that say what Azure runs it on; each is left out where it is Azure's default. */
export function hardwareArgs(settings: MachineSettings, imageId: pulumi.Input<string>, data: Disk | undefined) {
  const { security, spot, vmSize, zones } = settings;
  const [zone] = zones;
  const { nvme } = needsOf(vmSize);
  return {
    hardwareProfile: { vmSize },
    storageProfile: {
      imageReference: { id: imageId },
      osDisk: osDisk(settings),
      ...(data === undefined ? {} : { dataDisks: [attached(data)] }),
      ...(nvme ? { diskControllerType: "NVMe" } : {}),
    },
    ...securityArgs(security),
    ...(spot ? spotArgs(settings) : {}),
    ...(zone === undefined ? {} : { zones: [`${zone}`] }),
  };
}

/** What makes another machine of it, as a text; undefined for a machine that has Azure's defaults. */
export function hardwareKeeper({ osDisk, security, spot, vmSize, zones }: MachineSettings): string | undefined {
  const { type, ...disk } = osDisk;
  const others = {
    ...(type === "StandardSSD_LRS" ? disk : osDisk),
    ...(security.encryptionAtHost ? { encryptionAtHost: true } : {}),
    ...(security.trustedLaunch ? { trustedLaunch: true } : {}),
    ...(spot ? { spot } : {}),
    ...(zones[0] === undefined ? {} : { zone: zones[0] }),
    ...(needsOf(vmSize).nvme ? { nvme: true } : {}),
  };
  return Object.keys(others).length === 0 ? undefined : JSON.stringify(others);
}

function osDisk({ ephemeralOsDisk, osDisk }: MachineSettings) {
  const { encryptionSet, placement, sizeGiB, type } = osDisk;
  const set = encryptionSet === undefined ? {} : { diskEncryptionSet: { id: encryptionSet } };
  const size = sizeGiB === undefined ? {} : { diskSizeGB: sizeGiB };
  const disk = { createOption: "FromImage", deleteOption: "Delete", ...size };
  if (!ephemeralOsDisk) {
    return { ...disk, caching: "ReadWrite", managedDisk: { storageAccountType: type, ...set } } as const;
  }
  const diffDiskSettings = { option: "Local", ...(placement && { placement }) };
  const managedDisk = { storageAccountType: "Standard_LRS", ...set };
  return { ...disk, caching: "ReadOnly", diffDiskSettings, managedDisk } as const;
}

/** Secure Boot refuses a kernel that Microsoft's keys do not vouch for: NixOS's are signed by nobody. */
function securityArgs({ encryptionAtHost, trustedLaunch }: MachineSettings["security"]) {
  const uefiSettings = { secureBootEnabled: false, vTpmEnabled: true };
  const profile = {
    ...(encryptionAtHost ? { encryptionAtHost: true } : {}),
    ...(trustedLaunch ? { securityType: "TrustedLaunch", uefiSettings } : {}),
  };
  return Object.keys(profile).length === 0 ? {} : { securityProfile: profile };
}

/** A machine that is taken away keeps its disk, where it has one; no price is too high but the ordinary one. */
function spotArgs({ ephemeralOsDisk }: MachineSettings) {
  const evictionPolicy = ephemeralOsDisk ? "Delete" : "Deallocate";
  return { priority: "Spot", evictionPolicy, billingProfile: { maxPrice: -1 } };
}
