import type { CloudResource } from "../../cloud";
import { normalizedLocation, refuse, textAt, usersOf, valueAt, valuesAt } from "../arm";
import type { Situation } from "../resource-kind";
import { VERSION } from "./gallery";
import { checkHardware } from "./hardware-rules";
import { IMAGE } from "./image";
import { checkLogin } from "./os-profile";
import { checkQuota } from "./quota-rules";
import { type VmSize, vmSizes } from "./vm-sizes";

export const MACHINE = "Microsoft.Compute/virtualMachines";
export const DISK = "Microsoft.Compute/disks";

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

/** A disk is attached to one machine, and one of a zone to a machine of that zone. */
function checkDataDisks({ cloud, wanted, id }: Situation): void {
  for (const { value } of valuesAt(wanted.properties, "storageProfile.dataDisks[].managedDisk.id")) {
    const users = usersOf(cloud, MACHINE, "properties.storageProfile.dataDisks[].managedDisk.id", String(value));
    const other = users.find((machine) => machine.id.toLowerCase() !== id.toLowerCase());
    if (other !== undefined)
      refuse(
        409,
        "AttachDiskWhileBeingDetached",
        `Cannot attach data disk '${value}' to VM '${wanted.name}' because the disk is already owned by VM '${other.id}'.`,
      );
    const zones = (resource: CloudResource | undefined) => JSON.stringify(resource?.zones ?? []);
    if (zones(cloud.get(String(value))) !== zones(wanted))
      refuse(
        400,
        "BadRequest",
        `Disk ${value} cannot be attached to the VM because it is not in zone '${zones(wanted)}'.`,
      );
  }
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

/** What Azure has against a machine. Throws ArmError. */
export function checkMachine(situation: Situation): void {
  const { wanted, existing } = situation;
  const size = sizeOf(situation);
  checkImage(situation, size);
  checkHardware(situation, size);
  checkNetwork(situation);
  checkDisk(situation, size);
  checkIdentity(situation);
  checkDataDisks(situation);
  checkQuota(situation);
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
