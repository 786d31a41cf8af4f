import type { CloudResource } from "../../cloud";
import { isRegion, normalizedLocation, refuse, textAt, valuesAt } from "../arm";
import type { NameRule, ResourceKind, Situation } from "../resource-kind";
import { checkBlob, computeName, IMAGE } from "./image";
import { groupName } from "./resources";

const GALLERY = "Microsoft.Compute/galleries";
export const DEFINITION = `${GALLERY}/images`;
export const VERSION = `${GALLERY}/images/versions`;

const GALLERY_PATH =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/galleries/{galleryName}";

const GALLERY_NAME = {
  input: "galleryName",
  pattern: /^[a-z0-9]([\w.]{0,78}[a-z0-9])?$/i,
  rule: "1-80 letters, digits, underscores and periods, a letter or digit at both ends",
};

function refuseWhileNested({ cloud, existing }: { cloud: Situation["cloud"]; existing: CloudResource }): boolean {
  const nested = cloud.list({ under: existing.id }).filter(({ id }) => id.toLowerCase() !== existing.id.toLowerCase());
  if (nested.length > 0)
    refuse(
      409,
      "CannotDeleteResource",
      `Can not delete resource before nested resources are deleted: ${nested.map(({ id }) => id).join(", ")}`,
    );
  return false;
}

/** Source: https://learn.microsoft.com/rest/api/compute/galleries/create-or-update */
export const gallery: ResourceKind = {
  token: "azure-native:compute:Gallery",
  type: GALLERY,
  path: GALLERY_PATH,
  apiVersion: "2024-03-03",
  models: "compute",
  request: "Gallery",
  response: "Gallery",
  names: [groupName, { ...GALLERY_NAME, automatic: "random" }],
  hasLocation: true,
  complete({ wanted, cloud }) {
    const uniqueName = `${cloud.subscriptionId}-${wanted.name.toUpperCase()}`;
    return {
      ...wanted,
      properties: { ...wanted.properties, identifier: { uniqueName }, provisioningState: "Succeeded" },
    };
  },
  remove: refuseWhileNested,
};

function withoutAutomatic({ input, pattern, rule }: NameRule): NameRule {
  return { input, pattern, rule };
}

function parent(id: string): string {
  return id.split("/").slice(0, -2).join("/");
}

function validateDefinition({ cloud, wanted, id, existing }: Situation): void {
  const { identifier } = wanted.properties;
  const same = (other: CloudResource) =>
    ["publisher", "offer", "sku"].every(
      (part) => textAt(other.properties.identifier, part) === textAt(identifier, part),
    );
  const others = cloud
    .list({ type: DEFINITION, under: parent(id) })
    .filter((other) => other.id.toLowerCase() !== id.toLowerCase());
  if (existing === undefined && others.some(same))
    refuse(409, "Conflict", "A gallery image with the same publisher, offer and sku exists in this gallery.");
}

/** Source: https://learn.microsoft.com/rest/api/compute/gallery-images/create-or-update */
export const galleryImage: ResourceKind = {
  token: "azure-native:compute:GalleryImage",
  type: DEFINITION,
  path: `${GALLERY_PATH}/images/{galleryImageName}`,
  apiVersion: "2024-03-03",
  models: "compute",
  request: "GalleryImage",
  response: "GalleryImage",
  names: [groupName, GALLERY_NAME, computeName("galleryImageName")],
  hasLocation: true,
  required: ["osType", "osState", "identifier"],
  allowed: { hyperVGeneration: ["V1", "V2"], architecture: ["x64", "Arm64"] },
  immutable: ["osType", "osState", "hyperVGeneration", "identifier", "architecture"].map((path) => ({
    path,
    message: `Changing property 'galleryImage.properties.${path}' is not allowed.`,
  })),
  validate: validateDefinition,
  complete({ wanted }) {
    const defaults = { hyperVGeneration: "V1", architecture: "x64" };
    return { ...wanted, properties: { ...defaults, ...wanted.properties, provisioningState: "Succeeded" } };
  },
  remove: refuseWhileNested,
};

function checkRegions({ wanted }: Situation): void {
  const regions = valuesAt(wanted.properties, "publishingProfile.targetRegions[].name").map(({ value }) =>
    String(value),
  );
  const unknown = regions.find((region) => !isRegion(region));
  if (unknown !== undefined)
    refuse(400, "InvalidParameter", `The target region '${unknown}' is not a region of Azure.`);
  if (new Set(regions.map(normalizedLocation)).size !== regions.length)
    refuse(400, "InvalidParameter", `The target regions ${regions.join(", ")} name one region twice.`);
  if (regions.length > 0 && !regions.map(normalizedLocation).includes(normalizedLocation(wanted.location ?? "")))
    refuse(
      400,
      "InvalidParameter",
      `The gallery image version's location '${wanted.location}' must be among its target regions ${regions.join(", ")}.`,
    );
  const replicas = valuesAt(wanted.properties, "publishingProfile.targetRegions[].regionalReplicaCount");
  const tooMany = replicas.find(({ value }) => Number(value) < 1 || Number(value) > 100);
  if (tooMany)
    refuse(400, "InvalidParameter", `A region has 1 to 100 replicas, got ${tooMany.value} at ${tooMany.path}.`);
}

async function validateVersion(situation: Situation): Promise<void> {
  const { cloud, wanted, id, existing } = situation;
  checkRegions(situation);
  if (existing !== undefined) return;
  const managed = textAt(wanted.properties, "storageProfile.source.id");
  const blob = textAt(wanted.properties, "storageProfile.osDiskImage.source.uri");
  if ((managed === undefined) === (blob === undefined))
    refuse(
      400,
      "InvalidParameter",
      "A gallery image version needs either storageProfile.source or storageProfile.osDiskImage.source.",
    );
  if (blob !== undefined) await checkBlob(situation, blob, wanted.name);
  if (managed === undefined) return;
  const source = cloud.get(managed);
  const generation = cloud.get(parent(id))?.properties.hyperVGeneration;
  if (source !== undefined && source.properties.hyperVGeneration !== generation)
    refuse(
      409,
      "InvalidParameter",
      `The source image has Hypervisor Generation ${source.properties.hyperVGeneration}, the gallery image ${generation}.`,
    );
}

/** Source: https://learn.microsoft.com/rest/api/compute/gallery-image-versions/create-or-update */
export const galleryImageVersion: ResourceKind = {
  token: "azure-native:compute:GalleryImageVersion",
  type: VERSION,
  path: `${GALLERY_PATH}/images/{galleryImageName}/versions/{galleryImageVersionName}`,
  apiVersion: "2024-03-03",
  models: "compute",
  request: "GalleryImageVersion",
  response: "GalleryImageVersion",
  names: [
    groupName,
    GALLERY_NAME,
    withoutAutomatic(computeName("galleryImageName")),
    {
      input: "galleryImageVersionName",
      pattern: /^\d{1,9}\.\d{1,9}\.\d{1,9}$/,
      rule: "three 32-bit numbers with periods between them, as in 1.0.0",
    },
  ],
  hasLocation: true,
  required: ["storageProfile", "galleryImageVersionName"],
  references: [
    {
      path: "storageProfile.source.id",
      types: [IMAGE, VERSION, "Microsoft.Compute/virtualMachines"],
      code: "ResourceNotFound",
    },
    { path: "storageProfile.osDiskImage.source.storageAccountId", types: ["Microsoft.Storage/storageAccounts"] },
  ],
  immutable: [
    {
      path: "storageProfile",
      message: "Changing property 'galleryImageVersion.properties.storageProfile' is not allowed.",
    },
  ],
  validate: validateVersion,
  complete({ wanted }) {
    const aggregated = { aggregatedState: "Completed" };
    return {
      ...wanted,
      properties: { ...wanted.properties, replicationStatus: aggregated, provisioningState: "Succeeded" },
    };
  },
};
