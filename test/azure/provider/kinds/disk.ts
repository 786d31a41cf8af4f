import type { CloudResource } from "../../cloud";
import { refuse, textAt, usersOf, valueAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { computeName } from "./image";
import { DISK, MACHINE } from "./machine-rules";
import { groupName } from "./resources";

const ATTACHED = "properties.storageProfile.dataDisks[].managedDisk.id";

function validate({ wanted, existing }: Situation): void {
  const gib = Number(valueAt(wanted.properties, "diskSizeGB") ?? 0);
  const isEmpty = textAt(wanted.properties, "creationData.createOption") === "Empty";
  if (isEmpty && !(gib >= 1 && gib <= 65_536))
    refuse(400, "InvalidParameter", `The value '${gib}' of parameter 'disk.diskSizeGB' is out of range.`);
  const before = Number(valueAt(existing?.properties, "diskSizeGB") ?? 0);
  if (gib < before)
    refuse(409, "OperationNotAllowed", `Disk ${wanted.name} of ${before} GB cannot be shrunk: requested ${gib} GB.`);
}

function complete({ wanted, existing, cloud, id }: Situation): CloudResource {
  const state = usersOf(cloud, MACHINE, ATTACHED, id).length > 0 ? "Attached" : "Unattached";
  const made = { uniqueId: existing?.properties.uniqueId ?? id, provisioningState: "Succeeded", diskState: state };
  return { ...wanted, properties: { ...wanted.properties, ...made } };
}

/** Source: https://learn.microsoft.com/rest/api/compute/disks/create-or-update */
export const disk: ResourceKind = {
  token: "azure-native:compute:Disk",
  type: DISK,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/disks/{diskName}",
  apiVersion: "2024-03-02",
  models: "compute",
  request: "Disk",
  response: "Disk",
  names: [groupName, computeName("diskName")],
  hasLocation: true,
  allowed: {
    "creationData.createOption": ["Empty", "Copy", "FromImage", "Import", "Restore", "Upload", "Attach"],
    "sku.name": "Standard_LRS Premium_LRS StandardSSD_LRS UltraSSD_LRS Premium_ZRS StandardSSD_ZRS PremiumV2_LRS".split(
      " ",
    ),
    networkAccessPolicy: ["AllowAll", "AllowPrivate", "DenyAll"],
    publicNetworkAccess: ["Enabled", "Disabled"],
  },
  immutable: [{ path: "creationData" }, { path: "zones" }],
  validate,
  complete,
  remove({ cloud, existing }) {
    const [user] = usersOf(cloud, MACHINE, ATTACHED, existing.id);
    if (user !== undefined) refuse(409, "OperationNotAllowed", `Disk ${existing.name} is attached to VM ${user.id}.`);
    return true;
  },
};
