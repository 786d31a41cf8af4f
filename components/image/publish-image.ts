import { Gallery } from "@pulumi/azure-native/compute/gallery";
import { GalleryImage } from "@pulumi/azure-native/compute/galleryImage";
import { GalleryImageVersion } from "@pulumi/azure-native/compute/galleryImageVersion";
import { Image } from "@pulumi/azure-native/compute/image";
import type { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { azureName } from "../azure/azure-name";
import { galleryVersion } from "../azure/azure-names";
import { partsOfId } from "../azure/existing/existing";
import { readably } from "../process/readable-error";
import type { ImageSettings } from "./image-settings";

/** What a gallery has to say of an image, so that Azure lets such machines boot it. */
export interface ImageMachine {
  readonly architecture: "x64" | "Arm64";
  /** Whether its disks are reached by NVMe. */
  readonly nvme: boolean;
  readonly trustedLaunch: boolean;
}

/** An uploaded disk and how VMs are to find it. */
export interface PublishArgs extends Pick<ImageSettings, "publish" | "targetRegions"> {
  readonly stack: string;
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  readonly imageName: pulumi.Input<string>;
  readonly blobUrl: pulumi.Input<string>;
  readonly zoneResilient: boolean | undefined;
  readonly storageAccountId: pulumi.Input<string>;
  /** What the machines are that boot it. */
  readonly machine: ImageMachine;
  /** Id of an existing gallery. @default one of the stack's own */
  readonly gallery?: string | undefined;
  /** The command that brings the disk there; prints when it was complete. */
  readonly upload: Command;
}

/**
 * Makes an image of the uploaded disk: a managed image, or a version in a gallery. The new one is made first: its name
 * is another one, and the VM still runs on the old.
 */
export function publishImage(parent: pulumi.Resource, name: string, args: PublishArgs): Image | GalleryImageVersion {
  return args.publish === "gallery" ? publishVersion(parent, name, args) : publishManaged(parent, name, args);
}

function publishManaged(parent: pulumi.Resource, name: string, args: PublishArgs): Image {
  const { blobUrl, imageName, location, resourceGroupName, upload } = args;
  const zonal = args.zoneResilient ? { zoneResilient: true } : {};
  const osDisk = { osType: "Linux", osState: "Generalized", blobUri: blobUrl } as const;
  return new Image(
    `${name}-image`,
    { resourceGroupName, location, imageName, hyperVGeneration: "V2", storageProfile: { osDisk, ...zonal } },
    // Not a data edge: a preview then knows the name of the blob even where the upload is to run.
    { parent, dependsOn: [upload], deleteBeforeReplace: false },
  );
}

function publishVersion(parent: pulumi.Resource, name: string, args: PublishArgs): GalleryImageVersion {
  const { location, machine, stack } = args;
  const called = `${stack}${definitionSuffix(machine)}`;
  const gallery = inGallery(parent, name, args);
  const definition = new GalleryImage(
    `${name}-definition`,
    {
      ...gallery,
      location,
      galleryImageName: `sealed-onion-${called}`,
      identifier: { publisher: "sealed-onion", offer: "nixos", sku: called },
      osType: "Linux",
      osState: "Generalized",
      hyperVGeneration: "V2",
      architecture: machine.architecture,
      ...featuresOf(machine),
    },
    // What a definition promises, Azure keeps: another promise is another definition, made before the old one goes.
    { parent, deleteBeforeReplace: false },
  );
  const galleryImageVersionName = args.upload.stdout.apply((stdout) => readably(() => versionOf(stdout)));
  return new GalleryImageVersion(
    `${name}-version`,
    {
      ...gallery,
      location,
      galleryImageName: azureName(definition),
      galleryImageVersionName,
      publishingProfile: { targetRegions: regionsOf(args) },
      storageProfile: { osDiskImage: { source: { storageAccountId: args.storageAccountId, uri: args.blobUrl } } },
    },
    { parent, deleteBeforeReplace: false },
  );
}

/** Where the definition is: in an existing gallery, wherever that is, or in one of the stack's own. */
function inGallery(
  parent: pulumi.Resource,
  name: string,
  { gallery, location, resourceGroupName, stack }: PublishArgs,
) {
  if (gallery !== undefined) {
    const { names, resourceGroupName: elsewhere } = partsOfId(gallery);
    const after = (text: string) => pulumi.output(resourceGroupName).apply(() => text);
    return { resourceGroupName: after(elsewhere), galleryName: after(names[0] ?? "") };
  }
  const galleryName = `sealed_onion_${stack.replaceAll("-", "_")}`;
  const own = new Gallery(`${name}-gallery`, { resourceGroupName, location, galleryName }, { parent });
  return { resourceGroupName, galleryName: azureName(own) };
}

function definitionSuffix({ architecture, nvme, trustedLaunch }: ImageMachine): string {
  return [architecture === "Arm64" && "-arm64", nvme && "-nvme", trustedLaunch && "-tpm"].filter(Boolean).join("");
}

/** Source: https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries (features of a definition) */
function featuresOf({ nvme, trustedLaunch }: ImageMachine) {
  const features = [
    ...(nvme ? [{ name: "DiskControllerTypes", value: "SCSI, NVMe" }] : []),
    ...(trustedLaunch ? [{ name: "SecurityType", value: "TrustedLaunchSupported" }] : []),
  ];
  return features.length === 0 ? {} : { features };
}

function regionsOf({ targetRegions, zoneResilient }: PublishArgs) {
  const zonal = zoneResilient ? { storageAccountType: "Standard_ZRS" } : {};
  return targetRegions.map(({ name, replicas }) => ({ name, regionalReplicaCount: replicas, ...zonal }));
}

/** The version that belongs to an uploaded disk: the same whenever and wherever it is asked for. */
export function versionOf(uploadOutput: string): string {
  const { completedAt }: { completedAt?: string } = JSON.parse(uploadOutput);
  return galleryVersion(completedAt ?? "");
}
