import { nameBefore } from "../../cloud-names";
import { normalizedLocation, refuse, textAt } from "../arm";
import type { NameRule, ResourceKind, Situation } from "../resource-kind";
import { FOOTER_BYTES, footerFault } from "../vhd-footer";
import { isOpenToAzure } from "./network-rules";
import { groupName } from "./resources";

export const IMAGE = "Microsoft.Compute/images";

/** Names in Microsoft.Compute: letters, digits, underscores, periods and hyphens, not at the ends. */
export function computeName(input: string): NameRule {
  return {
    input,
    pattern: /^[a-z0-9]([\w.-]{0,78}\w)?$/i,
    rule: "1-80 letters, digits, underscores, periods and hyphens, a letter or digit first, no period or hyphen last",
    automatic: "random",
  };
}

/** The account that a blob's URL names, in the region of what is made of the blob. */
function checkAccount({ cloud, wanted }: Situation, blobUrl: string): void {
  const [, host = ""] = /^https:\/\/([^/]+)\/[^/]+\/.+/.exec(blobUrl) ?? [];
  const name = nameBefore(host, `blob.${cloud.names.storage}`);
  if (name === undefined)
    refuse(400, "InvalidParameter", `The value '${blobUrl}' of parameter 'imageDisk.blobUri' is not a blob's URL.`);
  const account = cloud.storageAccount(name);
  if (account === undefined) refuse(404, "StorageAccountNotFound", `The storage account ${name} was not found.`);
  if (normalizedLocation(account.location ?? "") !== normalizedLocation(wanted.location ?? ""))
    refuse(
      409,
      "SourceStorageAccountRegionMismatch",
      `Blob '${blobUrl}' is in region '${account.location}'; an image in '${wanted.location}' must be made of a blob in the same region as the image.`,
    );
}

/** Azure reads the blob's last 512 bytes, as we do, through the storage service. */
export async function checkBlob(situation: Situation, blobUrl: string, disk: string): Promise<number> {
  checkAccount(situation, blobUrl);
  const { blobs } = situation.cloud;
  const found = await blobs.properties(blobUrl);
  const account = situation.cloud.storageAccount(new URL(blobUrl).hostname.split(".")[0] ?? "");
  if (!isOpenToAzure(account?.properties))
    refuse(400, "InvalidParameter", `The source blob ${blobUrl} is not accessible.`);
  if (found === undefined)
    refuse(404, "ImageBlobNotFound", `Unable to find VHD blob with URI ${blobUrl} for disk '${disk}'.`);
  if (found.type !== "PageBlob")
    refuse(400, "InvalidParameter", `The blob ${blobUrl} is a ${found.type}: disk '${disk}' needs a page blob.`);
  if (found.size <= FOOTER_BYTES) refuse(409, "InvalidVhd", `Blob ${blobUrl} of ${found.size} bytes holds no VHD.`);
  const fault = footerFault(await blobs.read(blobUrl, found.size - FOOTER_BYTES, FOOTER_BYTES), found.size);
  if (fault !== undefined) refuse(409, "InvalidVhd", `${fault} (disk '${disk}', blob <${blobUrl}>)`);
  return found.size - FOOTER_BYTES;
}

async function validate(situation: Situation): Promise<void> {
  const { wanted, existing, inputs } = situation;
  if (existing !== undefined) return;
  const fromMachine = inputs.sourceVirtualMachine !== undefined;
  if (fromMachine === (inputs.storageProfile !== undefined))
    refuse(400, "InvalidParameter", "An image needs either a source virtual machine or a storage profile.");
  if (fromMachine) return;
  const disk = (wanted.properties.storageProfile as Record<string, unknown>).osDisk;
  if (disk === undefined)
    refuse(400, "InvalidParameter", "Required parameter 'storageProfile.osDisk' is missing (null).");
  const sources = ["blobUri", "managedDisk.id", "snapshot.id"].filter((path) => textAt(disk, path) !== undefined);
  if (sources.length !== 1)
    refuse(400, "InvalidParameter", "The OS disk of an image needs exactly one of blobUri, managedDisk and snapshot.");
  const blobUrl = textAt(disk, "blobUri");
  if (blobUrl !== undefined) await checkBlob(situation, blobUrl, wanted.name);
}

/** Source: https://learn.microsoft.com/rest/api/compute/images/create-or-update */
export const image: ResourceKind = {
  token: "azure-native:compute:Image",
  type: IMAGE,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/images/{imageName}",
  apiVersion: "2024-11-01",
  models: "compute",
  request: "Image",
  response: "Image",
  names: [groupName, computeName("imageName")],
  hasLocation: true,
  allowed: { hyperVGeneration: ["V1", "V2"] },
  references: [
    { path: "sourceVirtualMachine.id", types: ["Microsoft.Compute/virtualMachines"] },
    { path: "storageProfile.osDisk.managedDisk.id", types: ["Microsoft.Compute/disks"] },
    { path: "storageProfile.osDisk.snapshot.id", types: ["Microsoft.Compute/snapshots"] },
  ],
  immutable: [
    { path: "storageProfile", message: "Changing property 'image.storageProfile' is not allowed." },
    { path: "hyperVGeneration", message: "Changing property 'image.hyperVGeneration' is not allowed." },
    { path: "sourceVirtualMachine" },
  ],
  validate,
  complete({ wanted }) {
    const properties = { hyperVGeneration: "V1", ...wanted.properties, provisioningState: "Succeeded" };
    return { ...wanted, properties };
  },
};
