import { randomUUID } from "node:crypto";
import type { CloudResource } from "../../azure/cloud";
import { normalizedLocation, refuse, textAt, usersOf, valueAt, valuesAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { isMap, type PropertyMap } from "../values";
import { DEFINITION, VERSION } from "./gallery";
import { IMAGE } from "./image";
import { checkLogin } from "./os-profile";
import { groupName } from "./resources";
import { type VmSize, vmSizes } from "./vm-sizes";

export const MACHINE = "Microsoft.Compute/virtualMachines";
const DISK = "Microsoft.Compute/disks";

function sizeOf({ wanted }: Situation): VmSize {
  const name = textAt(wanted.properties, "hardwareProfile.vmSize") ?? "";
  const known = Object.entries(vmSizes).find(([size]) => size.toLowerCase() === name.toLowerCase());
  if (known === undefined)
    refuse(
      400,
      "InvalidParameter",
      `The value ${name} provided for the VM size is not valid. The valid sizes in the current region are: ${Object.keys(vmSizes).join(",")}.`,
    );
  return known[1];
}

/** The image or image version that a machine is made of, and the generation it boots in. */
function imageOf({ cloud, wanted }: Situation): { generation: number; image: CloudResource } | undefined {
  const image = cloud.get(textAt(wanted.properties, "storageProfile.imageReference.id") ?? "");
  if (image === undefined) return undefined;
  const definition =
    image.type.toLowerCase() === VERSION.toLowerCase() ? cloud.get(image.id.split("/").slice(0, -2).join("/")) : image;
  return { image, generation: definition?.properties.hyperVGeneration === "V2" ? 2 : 1 };
}

function checkImage(situation: Situation, size: VmSize): void {
  const { wanted } = situation;
  const found = imageOf(situation);
  if (found === undefined) return;
  const { image, generation } = found;
  const name = textAt(wanted.properties, "hardwareProfile.vmSize");
  if (!size.generations.some((known) => known === generation))
    refuse(
      400,
      "BadRequest",
      `The selected VM size '${name}' cannot boot Hypervisor Generation '${generation}'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size. If this was an Update operation please select a Hypervisor Generation '${generation}' VM Size. For more information, see https://aka.ms/azuregen2vm`,
    );
  const regions = valuesAt(image.properties, "publishingProfile.targetRegions[].name").map(({ value }) =>
    String(value),
  );
  const places = [image.location ?? "", ...regions].map(normalizedLocation);
  if (!places.includes(normalizedLocation(wanted.location ?? "")))
    refuse(404, "ImageNotFound", `The image ${image.id} is not available in ${wanted.location} region.`);
  if (
    image.type.toLowerCase() === IMAGE.toLowerCase() &&
    textAt(wanted.properties, "securityProfile.securityType") === "TrustedLaunch"
  )
    refuse(400, "BadRequest", "Use of TrustedLaunch setting is not supported for the provided managed image.");
}

function checkNetwork({ cloud, wanted, id }: Situation): void {
  const cards = valuesAt(wanted.properties, "networkProfile.networkInterfaces[]").map(({ value }) => value);
  if (cards.length === 0)
    refuse(
      400,
      "InvalidParameter",
      "Virtual Machine must have at least one network interface: networkProfile.networkInterfaces is empty.",
    );
  const primaries = cards.filter((card) => valueAt(card, "properties.primary") === true);
  if (cards.length > 1 && primaries.length !== 1)
    refuse(
      400,
      "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
      `Virtual machine ${wanted.name} must have one network interface set as the primary.`,
    );
  for (const { value } of valuesAt(wanted.properties, "networkProfile.networkInterfaces[].id")) {
    const others = usersOf(cloud, MACHINE, "properties.networkProfile.networkInterfaces[].id", String(value));
    const other = others.find((machine) => machine.id.toLowerCase() !== id.toLowerCase());
    if (other !== undefined)
      refuse(409, "NicInUse", `Network Interface ${value} is used by existing resource ${other.id}.`);
  }
}

/** The cache, temporary or NVMe space of the size has to hold an ephemeral OS disk, which has to be read-only cached. */
function checkDisk({ wanted, cloud, existing }: Situation, size: VmSize): void {
  const disk = valueAt(wanted.properties, "storageProfile.osDisk");
  const name = textAt(disk, "name");
  const taken =
    name !== undefined && cloud.list({ type: DISK }).some((other) => other.name.toLowerCase() === name.toLowerCase());
  if (existing === undefined && taken)
    refuse(
      409,
      "ConflictingUserInput",
      `Disk ${name} already exists in resource group. Only CreateOption.Attach is supported.`,
    );
  const gib = Number(valueAt(disk, "diskSizeGB") ?? 0);
  if (gib < 0 || gib > 4095)
    refuse(400, "InvalidParameter", `The value '${gib}' of parameter 'osDisk.diskSizeGB' is out of range.`);
  if (textAt(disk, "diffDiskSettings.option") === undefined) return;
  const placement = textAt(disk, "diffDiskSettings.placement") ?? (size.cacheGib > 0 ? "CacheDisk" : "ResourceDisk");
  const rooms: Record<string, number> = {
    CacheDisk: size.cacheGib,
    ResourceDisk: size.temporaryGib,
    NvmeDisk: size.nvmeGib ?? 0,
  };
  const room = rooms[placement] ?? 0;
  const vmSize = textAt(wanted.properties, "hardwareProfile.vmSize");
  if (room === 0)
    refuse(
      400,
      "InvalidParameter",
      `The VM size '${vmSize}' does not support ephemeral OS disks with placement ${placement}.`,
    );
  if (gib > room)
    refuse(
      400,
      "NotSupported",
      `OS disk of Ephemeral VM with size greater than ${room} GB is not allowed for VM size ${vmSize} when the DiffDiskPlacement is ${placement}.`,
    );
  if (textAt(disk, "caching") !== "ReadOnly")
    refuse(
      400,
      "InvalidParameter",
      "The value of parameter 'osDisk.caching' must be 'ReadOnly' for an ephemeral OS disk.",
    );
}

function checkIdentity({ cloud, wanted }: Situation): void {
  const { type = "None" } = wanted.identity ?? {};
  const assigned = Object.keys(wanted.identity?.userAssignedIdentities ?? {});
  if (type.includes("UserAssigned") !== assigned.length > 0)
    refuse(
      400,
      "InvalidIdentityValues",
      `Identity type '${type}' does not fit ${assigned.length} user-assigned identities.`,
    );
  const missing = assigned.find((identity) => cloud.directory.managedIdentity(identity) === undefined);
  if (missing !== undefined)
    refuse(400, "FailedIdentityOperation", `Identity operation failed. The resource '${missing}' was not found.`);
}

function validate(situation: Situation): void {
  const { wanted, existing } = situation;
  const size = sizeOf(situation);
  checkImage(situation, size);
  checkNetwork(situation);
  checkDisk(situation, size);
  checkIdentity(situation);
  if (existing === undefined) checkLogin(wanted);
  for (const name of ["userData", "osProfile.customData"]) {
    const data = textAt(wanted.properties, name);
    if (data === undefined) continue;
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data) || data.length % 4 !== 0)
      refuse(400, "InvalidParameter", `${name} is not base64.`);
    if (Buffer.from(data, "base64").length > 65_535)
      refuse(400, "InvalidParameter", `${name} has more than 65535 bytes.`);
  }
}

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
  },
  references: [
    {
      path: "storageProfile.imageReference.id",
      types: [IMAGE, VERSION, DEFINITION],
      sameRegion: false,
      code: "ImageNotFound",
    },
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
    "osProfile.adminUsername",
    "osProfile.computerName",
    "osProfile.customData",
    "osProfile.linuxConfiguration.ssh.publicKeys",
    "networkProfile.networkInterfaces",
  ].map((path) => ({
    path,
    message: `Changing property '${path.split(".").slice(1).join(".") || path}' is not allowed.`,
  })),
  validate,
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
