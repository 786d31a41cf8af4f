import { beforeEach, describe, expect, it } from "vitest";
import type { PropertyMap } from "./values";
import { makeWorld, type World } from "./world";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

const FEATURE = "/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost";

/** A version of a definition that promises this, as a machine's image. */
async function versionOf(promise: PropertyMap): Promise<PropertyMap> {
  const { account, blobUri, create, place } = world;
  const inGallery = { ...place, galleryName: "gallery1", galleryImageName: "promising" };
  const common = { osType: "Linux", osState: "Generalized", hyperVGeneration: "V2" };
  const identifier = { publisher: "p", offer: "o", sku: "promising" };
  await create("compute:GalleryImage", { ...inGallery, ...common, identifier, ...promise });
  const osDiskImage = { source: { storageAccountId: account.id, uri: blobUri } };
  const version = { ...inGallery, galleryImageVersionName: "1.0.0", storageProfile: { osDiskImage } };
  const { id } = await create("compute:GalleryImageVersion", version);
  return { imageReference: { id }, osDisk: { createOption: "FromImage", deleteOption: "Delete" } };
}

const features = (name: string, value: string) => ({ features: [{ name, value }] });
const NVME = features("DiskControllerTypes", "SCSI, NVMe");
const TRUSTED = { securityProfile: { securityType: "TrustedLaunch", uefiSettings: { vTpmEnabled: true } } };
const sized = (vmSize: string) => ({ hardwareProfile: { vmSize } });
const spot = { priority: "Spot", evictionPolicy: "Deallocate", billingProfile: { maxPrice: -1 } };

describe("what a machine runs on, where the image does not promise it", () => {
  it.each<[what: string, promise: PropertyMap, machine: PropertyMap, error: string]>([
    [
      "an Arm size with an image for x64",
      {},
      sized("Standard_D2ps_v5"),
      "this VM size only supports a CPU Architecture of 'Arm64', but an image or disk with CPU Architecture 'x64' was given",
    ],
    [
      "an x64 size with an image for Arm",
      { architecture: "Arm64" },
      sized("Standard_D2s_v5"),
      "this VM size only supports a CPU Architecture of 'x64', but an image or disk with CPU Architecture 'Arm64' was given",
    ],
    [
      "NVMe disks with an image for SCSI",
      {},
      sized("Standard_D2s_v6"),
      "The VM size 'Standard_D2s_v6' cannot boot with OS image or disk.",
    ],
    [
      "NVMe where the size has SCSI",
      NVME,
      sized("Standard_D2s_v5"),
      "The VM size 'Standard_D2s_v5' cannot boot with DiskControllerType 'NVMe'.",
    ],
    ["Trusted Launch", {}, TRUSTED, "does not support 'TrustedLaunch'"],
  ])("%s", async (what, promise, change, error) => {
    const { create, machine } = world;
    const profile = await versionOf(promise);
    const nvme = what.startsWith("NVMe where") ? { diskControllerType: "NVMe" } : {};
    const wanted = machine({ ...change, storageProfile: { ...profile, ...nvme } });
    await expect(create("compute:VirtualMachine", wanted)).rejects.toThrow(error);
  });

  it.each<[what: string, promise: PropertyMap, machine: PropertyMap]>([
    ["an Arm size", { architecture: "Arm64" }, sized("Standard_B2pts_v2")],
    ["NVMe disks", NVME, sized("Standard_D2s_v6")],
    ["both", { architecture: "Arm64", ...NVME }, sized("Standard_D2pls_v6")],
    ["Trusted Launch", features("SecurityType", "TrustedLaunchSupported"), TRUSTED],
  ])("and is taken where it does: %s", async (_, promise, change) => {
    const { create, machine } = world;
    await create("compute:VirtualMachine", machine({ ...change, storageProfile: await versionOf(promise) }));
  });
});

describe("dials of a machine that Azure refuses", () => {
  it.each<[what: string, machine: PropertyMap, error: string]>([
    [
      "encryption at host, which the subscription has not been given",
      { securityProfile: { encryptionAtHost: true } },
      `Status=400 Code="InvalidParameter" Message="The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription."`,
    ],
    ["a burstable size at spot prices", spot, "The VM size 'Standard_B2s' is not supported for Azure Spot"],
    ["an eviction policy of an ordinary machine", { evictionPolicy: "Delete" }, "only on Azure Spot Virtual Machines"],
    ["two zones", { zones: ["1", "2"] }, "A virtual machine can be in one zone only"],
    [
      "a zone in a region without",
      { zones: ["1"], location: "westus" },
      "does not support availability zones at location 'westus' and api-version '2024-11-01'",
    ],
  ])("%s", async (_, change, error) => {
    const { card, cloud, create, machine, image } = world;
    // A machine elsewhere has its image and its card there.
    const { location } = change;
    for (const { id } of typeof location === "string" ? [image, card] : [])
      cloud.put({ ...required(cloud.get(id)), location: `${location}` });
    await expect(create("compute:VirtualMachine", machine(change))).rejects.toThrow(error);
  });

  it("an encryption set that is not there", async () => {
    const { create, group, image, machine } = world;
    const id = `${group.id}/providers/Microsoft.Compute/diskEncryptionSets/none`;
    const managedDisk = { storageAccountType: "StandardSSD_LRS", diskEncryptionSet: { id } };
    const storageProfile = { imageReference: { id: image.id }, osDisk: { createOption: "FromImage", managedDisk } };
    await expect(create("compute:VirtualMachine", machine({ storageProfile }))).rejects.toThrow(
      `Status=404 Code="ResourceNotFound" Message="The Resource 'Microsoft.Compute/diskEncryptionSets/none'`,
    );
  });

  it("encryption at host is taken once the subscription has the feature", async () => {
    const { cloud, create, machine } = world;
    const id = `/subscriptions/${cloud.subscriptionId}${FEATURE}`;
    cloud.put({
      id,
      type: "Microsoft.Features/features",
      name: "EncryptionAtHost",
      properties: { state: "Registered" },
    });
    await create("compute:VirtualMachine", machine({ securityProfile: { encryptionAtHost: true } }));
  });

  it("another priority, disk or zone of a machine that is there", async () => {
    const { create, machine, update } = world;
    const made = await create("compute:VirtualMachine", machine(sized("Standard_D2s_v5")));
    await expect(update(made, spot)).rejects.toThrow("Changing property 'priority' is not allowed.");
    await expect(update(made, { zones: ["1"] })).rejects.toThrow("Changing property 'zones' is not allowed.");
  });
});

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not there");
  return value;
}
