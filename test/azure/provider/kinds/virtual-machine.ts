import { randomUUID } from "node:crypto";
import type { CloudResource } from "../../cloud";
import { textAt, valueAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { isMap, type PropertyMap } from "../values";
import { DEFINITION, VERSION } from "./gallery";
import { IMAGE } from "./image";
import { checkMachine, DISK, MACHINE } from "./machine-rules";
import { groupName } from "./resources";

function identityOf({ cloud, wanted, existing }: Situation): CloudResource["identity"] {
  if (wanted.identity === undefined) return undefined;
  const assigned = Object.keys(wanted.identity.userAssignedIdentities ?? {}).map((id) => {
    const { objectId = "", clientId = "" } = cloud.directory.managedIdentity(id) ?? {};
    return [id, { principalId: objectId, clientId }];
  });
  const system = wanted.identity.type.includes("SystemAssigned");
  return {
    type: wanted.identity.type,
    ...(assigned.length > 0 && { userAssignedIdentities: Object.fromEntries(assigned) }),
    ...(system && { principalId: existing?.identity?.principalId ?? randomUUID(), tenantId: cloud.tenantId }),
  };
}

function complete(situation: Situation): CloudResource {
  const { wanted, existing } = situation;
  const properties = structuredClone(wanted.properties);
  const disk = valueAt(properties, "storageProfile.osDisk");
  const before = valueAt(existing?.properties, "storageProfile.osDisk");
  const name =
    textAt(disk, "name") ?? textAt(before, "name") ?? `${wanted.name}_OsDisk_1_${randomUUID().replaceAll("-", "")}`;
  if (isMap(disk))
    Object.assign(disk, { name, deleteOption: disk.deleteOption ?? "Detach", osType: disk.osType ?? "Linux" });
  const login = valueAt(properties, "osProfile");
  if (isMap(login)) delete login.adminPassword;
  const answer = { vmId: existing?.properties.vmId ?? randomUUID(), provisioningState: "Succeeded" };
  const identity = identityOf(situation);
  return { ...wanted, ...(identity && { identity }), properties: { ...properties, ...answer } };
}

/** A managed OS disk is a resource of its own, which outlives its machine unless `deleteOption` says otherwise. */
function makeDisk({ cloud, wanted, existing }: Situation): void {
  const disk = valueAt(wanted.properties, "storageProfile.osDisk") as PropertyMap;
  if (existing !== undefined || valueAt(disk, "diffDiskSettings.option") !== undefined) return;
  const id = `${wanted.id.replace(/\/providers\/.*$/, "")}/providers/${DISK}/${disk.name}`;
  const properties = { diskState: "Attached", osType: disk.osType, provisioningState: "Succeeded" };
  cloud.put({
    id,
    type: DISK,
    name: String(disk.name),
    location: wanted.location ?? "",
    managedBy: wanted.id,
    properties,
  });
}

/** Source: https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update */
export const virtualMachine: ResourceKind = {
  token: "azure-native:compute:VirtualMachine",
  type: MACHINE,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines/{vmName}",
  apiVersion: "2024-11-01",
  models: "compute",
  request: "VirtualMachine",
  response: "VirtualMachine",
  names: [
    groupName,
    {
      input: "vmName",
      pattern: /^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$/i,
      rule: "1-64 letters, digits, periods and hyphens, a letter or digit at both ends",
      automatic: "random",
    },
  ],
  hasLocation: true,
  required: ["hardwareProfile", "storageProfile", "storageProfile.osDisk", "networkProfile"],
  allowed: {
    "storageProfile.osDisk.createOption": ["FromImage", "Attach", "Empty", "Copy", "Restore"],
    "storageProfile.osDisk.deleteOption": ["Delete", "Detach"],
    "storageProfile.osDisk.diffDiskSettings.option": ["Local"],
    "storageProfile.osDisk.diffDiskSettings.placement": ["CacheDisk", "ResourceDisk", "NvmeDisk"],
    "storageProfile.osDisk.managedDisk.storageAccountType": [
      ..."Standard_LRS Premium_LRS StandardSSD_LRS UltraSSD_LRS Premium_ZRS StandardSSD_ZRS PremiumV2_LRS".split(" "),
    ],
    "securityProfile.securityType": ["TrustedLaunch", "ConfidentialVM"],
    "storageProfile.diskControllerType": ["SCSI", "NVMe"],
    priority: ["Regular", "Low", "Spot"],
    evictionPolicy: ["Deallocate", "Delete"],
  },
  references: [
    {
      path: "storageProfile.imageReference.id",
      types: [IMAGE, VERSION, DEFINITION],
      sameRegion: false,
      code: "ImageNotFound",
    },
    {
      path: "storageProfile.osDisk.managedDisk.diskEncryptionSet.id",
      types: ["Microsoft.Compute/diskEncryptionSets"],
      code: "ResourceNotFound",
    },
    { path: "storageProfile.dataDisks[].managedDisk.id", types: [DISK] },
    { path: "networkProfile.networkInterfaces[].id", types: ["Microsoft.Network/networkInterfaces"] },
    {
      path: "identity.userAssignedIdentities[]",
      types: ["Microsoft.ManagedIdentity/userAssignedIdentities"],
      sameRegion: false,
      code: "FailedIdentityOperation",
    },
  ],
  immutable: [
    "storageProfile.imageReference",
    "storageProfile.osDisk.name",
    "storageProfile.osDisk.diffDiskSettings",
    "storageProfile.osDisk.managedDisk.storageAccountType",
    "storageProfile.osDisk.managedDisk.diskEncryptionSet",
    "storageProfile.diskControllerType",
    "securityProfile.securityType",
    "securityProfile.encryptionAtHost",
    "priority",
    "zones",
    "osProfile.adminUsername",
    "osProfile.computerName",
    "osProfile.customData",
    "osProfile.linuxConfiguration.ssh.publicKeys",
    "networkProfile.networkInterfaces",
  ].map((path) => ({
    path,
    message: `Changing property '${path.split(".").slice(1).join(".") || path}' is not allowed.`,
  })),
  validate: checkMachine,
  complete,
  stored: makeDisk,
  remove({ cloud, existing }) {
    const disks = cloud.list({ type: DISK }).filter(({ managedBy }) => managedBy === existing.id);
    const goes = textAt(existing.properties, "storageProfile.osDisk.deleteOption") === "Delete";
    for (const { managedBy: _, ...disk } of disks) {
      if (goes) cloud.remove(disk.id);
      else cloud.put({ ...disk, properties: { ...disk.properties, diskState: "Unattached" } });
    }
    return false;
  },
};
