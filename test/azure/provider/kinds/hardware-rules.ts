import type { CloudResource } from "../../cloud";
import { normalizedLocation, refuse, textAt, valueAt, valuesAt } from "../arm";
import type { Situation } from "../resource-kind";
import { VERSION } from "./gallery";
import type { VmSize } from "./vm-sizes";

/** What an image says of the machines that boot it: a gallery's definition may say more than Azure's defaults. */
interface ImagePromises {
  architecture: string;
  nvme: boolean;
  trustedLaunch: boolean;
}

/** Regions without availability zones, of those that the rehearsal knows. Source: https://learn.microsoft.com/azure/reliability/regions-list */
const WITHOUT_ZONES = new Set(
  "australiacentral australiasoutheast canadaeast northcentralus southindia ukwest westcentralus westindia westus".split(
    " ",
  ),
);

function promisesOf({ cloud }: Situation, image: CloudResource): ImagePromises {
  const isVersion = image.type.toLowerCase() === VERSION.toLowerCase();
  const definition = isVersion ? cloud.get(image.id.split("/").slice(0, -2).join("/")) : undefined;
  const features = valuesAt(definition?.properties, "features[]").map(({ value }) => value);
  const has = (name: string, value: RegExp) =>
    features.some((feature) => textAt(feature, "name") === name && value.test(textAt(feature, "value") ?? ""));
  return {
    architecture: textAt(definition?.properties, "architecture") ?? "x64",
    nvme: has("DiskControllerTypes", /NVMe/),
    trustedLaunch: has("SecurityType", /^TrustedLaunch/),
  };
}

function checkProcessor(name: string, size: VmSize, { architecture }: ImagePromises): void {
  const own = size.arm64 ? "Arm64" : "x64";
  if (own.toLowerCase() === architecture.toLowerCase()) return;
  refuse(
    400,
    "BadRequest",
    `Cannot create a VM of size '${name}' because this VM size only supports a CPU Architecture of '${own}', but an image or disk with CPU Architecture '${architecture}' was given. Please check that the CPU Architecture of the image or disk is compatible with that of the VM size.`,
  );
}

const SKUS =
  "Please query sku api at https://aka.ms/azure-compute-skus  to determine supported disk controller types for the VM size.";

function checkController({ wanted }: Situation, name: string, size: VmSize, { nvme }: ImagePromises): void {
  const asked = textAt(wanted.properties, "storageProfile.diskControllerType");
  if (asked === "NVMe" && size.nvme !== true)
    refuse(
      400,
      "InvalidParameter",
      `The VM size '${name}' cannot boot with DiskControllerType 'NVMe'. Please check that the disk controller type provided is one of the supported disk controller types for the VM size '${name}'. ${SKUS}`,
    );
  if (size.nvme === true && !nvme)
    refuse(
      400,
      "InvalidParameter",
      `The VM size '${name}' cannot boot with OS image or disk. Please check that disk controller types supported by the OS image or disk is one of the supported disk controller types for the VM size '${name}'. ${SKUS}`,
    );
}

function checkSecurity({ cloud, wanted }: Situation, promises: ImagePromises | undefined): void {
  const profile = valueAt(wanted.properties, "securityProfile");
  const type = textAt(profile, "securityType");
  if (type === undefined && valueAt(profile, "uefiSettings") !== undefined)
    refuse(400, "InvalidParameter", "The property 'securityProfile.uefiSettings' is not valid without securityType.");
  if (type === "TrustedLaunch" && promises && !promises.trustedLaunch)
    refuse(
      400,
      "BadRequest",
      "Security type of VM is not compatible with the security type of attached OS Disk or image: the gallery image does not support 'TrustedLaunch'.",
    );
  if (valueAt(profile, "encryptionAtHost") !== true) return;
  const feature = "/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost";
  const state = textAt(cloud.get(`/subscriptions/${cloud.subscriptionId}${feature}`)?.properties, "state");
  if (state !== "Registered")
    refuse(
      400,
      "InvalidParameter",
      "The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription.",
    );
}

function checkSpot({ wanted }: Situation, name: string): void {
  const { evictionPolicy, priority } = wanted.properties;
  if (priority !== "Spot") {
    if (evictionPolicy !== undefined)
      refuse(409, "OperationNotAllowed", "Eviction policy can be set only on Azure Spot Virtual Machines.");
    return;
  }
  if (/^Standard_B\d/.test(name))
    refuse(409, "OperationNotAllowed", `The VM size '${name}' is not supported for Azure Spot Virtual Machines.`);
  const ephemeral = textAt(wanted.properties, "storageProfile.osDisk.diffDiskSettings.option") !== undefined;
  if (ephemeral && evictionPolicy !== "Delete")
    refuse(
      409,
      "OperationNotAllowed",
      "A machine with an ephemeral OS disk cannot be deallocated: its eviction policy must be Delete.",
    );
}

function checkZones({ wanted }: Situation): void {
  const zones = Array.isArray(wanted.zones) ? wanted.zones : [];
  if (zones.length > 1)
    refuse(400, "InvalidParameter", "A virtual machine can be in one zone only: zones holds more than one.");
  if (zones.length > 0 && WITHOUT_ZONES.has(normalizedLocation(wanted.location ?? "")))
    refuse(
      400,
      "ResourceTypeNotSupportAvailabilityZones",
      `The resource type 'virtualMachines' does not support availability zones at location '${wanted.location}' and api-version '2024-11-01'.`,
    );
}

/** What Azure has against a machine for what it is to run on. Throws ArmError. */
export function checkHardware(situation: Situation, size: VmSize): void {
  const { cloud, wanted } = situation;
  const name = textAt(wanted.properties, "hardwareProfile.vmSize") ?? "";
  const image = cloud.get(textAt(wanted.properties, "storageProfile.imageReference.id") ?? "");
  const promises = image && promisesOf(situation, image);
  if (promises) {
    checkProcessor(name, size, promises);
    checkController(situation, name, size, promises);
  }
  checkSecurity(situation, promises);
  checkSpot(situation, name);
  checkZones(situation);
}
