import type { PropertyMap } from "../values";
import { goodBlob, imageOf, vhdFooter, type World } from "../world";
import { type Row, tellRefusals } from "./table";

function galleryVersion(change: PropertyMap): (world: World) => PropertyMap {
  return ({ place, image }) => {
    const name = { galleryName: "gallery1", galleryImageName: "definition1", galleryImageVersionName: "1.0.0" };
    return { ...place, ...name, storageProfile: { source: { id: image.id } }, ...change };
  };
}

/** Blobs that make no disk. */
function addOddities({ blobs }: World): void {
  const base = "https://account1.blob.core.windows.net/images/";
  const good = goodBlob();
  const damaged = Buffer.from(good.footer);
  damaged.writeUInt32BE(1, 64);
  const dynamic = Buffer.from(good.footer);
  dynamic.writeUInt32BE(3, 60);
  dynamic.writeUInt32BE(dynamic.readUInt32BE(64) - 1, 64);
  blobs.set(`${base}block.vhd`, { ...good, type: "BlockBlob" });
  blobs.set(`${base}empty.vhd`, { ...good, size: 512 });
  blobs.set(`${base}raw.img`, { ...good, footer: Buffer.alloc(512) });
  blobs.set(`${base}damaged.vhd`, { ...good, footer: damaged });
  blobs.set(`${base}dynamic.vhd`, { ...good, footer: dynamic });
  blobs.set(`${base}odd.vhd`, { ...good, size: 524_288 + 512, footer: vhdFooter(524_288) });
  blobs.set(`${base}cut.vhd`, { ...good, size: 524_288 + 512 });
}

const checked: Row[] = [
  [
    "an image of another generation",
    "compute:Image",
    ({ place }) => ({ ...place, imageName: "i", hyperVGeneration: "V3" }),
    `'hyperVGeneration' must be one of V1, V2, got "V3"`,
  ],
  [
    "an image's disk without a state",
    "compute:Image",
    ({ place, blobUri }) => ({ ...place, imageName: "i", storageProfile: { osDisk: { osType: "Linux", blobUri } } }),
    "missing required property 'storageProfile.osDisk.osState'",
  ],
  [
    "a gallery's name with a hyphen",
    "compute:Gallery",
    ({ place }) => ({ ...place, galleryName: "a-b" }),
    `'galleryName' must be 1-80 letters, digits, underscores and periods, a letter or digit at both ends, got "a-b"`,
  ],
  [
    "a version that is no three numbers",
    "compute:GalleryImageVersion",
    ({ place }) => ({
      ...place,
      galleryName: "gallery1",
      galleryImageName: "definition1",
      galleryImageVersionName: "1.0",
      storageProfile: {},
    }),
    `'galleryImageVersionName' must be three 32-bit numbers with periods between them, as in 1.0.0, got "1.0"`,
  ],
];

const refused: Row[] = [
  [
    "a resource in a group that is not there",
    "compute:Gallery",
    () => ({ resourceGroupName: "nowhere", galleryName: "g" }),
    `Status=404 Code="ResourceGroupNotFound" Message="Resource group 'nowhere' could not be found."`,
  ],
  [
    "a resource in a region that is none",
    "compute:Gallery",
    ({ place }) => ({ ...place, galleryName: "g", location: "atlantis" }),
    `Status=400 Code="LocationNotAvailableForResourceType" Message="The provided location 'atlantis' is not available for resource type 'Microsoft.Compute/galleries'."`,
  ],
  [
    "51 tags",
    "compute:Gallery",
    ({ place }) => ({
      ...place,
      galleryName: "g",
      tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`t${i}`, ""])),
    }),
    `Status=400 Code="InvalidTags" Message="A resource has at most 50 tags, got 51."`,
  ],
  [
    "an image of a blob that is not there",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/none.vhd"),
    `Status=404 Code="ImageBlobNotFound" Message="Unable to find VHD blob with URI https://account1.blob.core.windows.net/images/none.vhd for disk 'image2'."`,
  ],
  [
    "an image of a URL that is no blob's",
    "compute:Image",
    imageOf("https://example.com/x.vhd"),
    "of parameter 'imageDisk.blobUri' is not a blob's URL.",
  ],
  [
    "an image of an account that is not there",
    "compute:Image",
    imageOf("https://account9.blob.core.windows.net/images/x.vhd"),
    "The storage account account9 was not found.",
  ],
  [
    "an image of a block blob",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/block.vhd"),
    "is a BlockBlob: disk 'image2' needs a page blob.",
  ],
  [
    "an image of a blob without a footer",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/raw.img"),
    `Status=409 Code="InvalidVhd" Message="The specified cookie value in VHD footer indicates that the disk is not a supported VHD. Disk is expected to have cookie value 'conectix'.`,
  ],
  [
    "an image of a footer with a wrong sum",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/damaged.vhd"),
    "The checksum in the VHD footer does not match its content.",
  ],
  [
    "an image of a dynamic disk",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/dynamic.vhd"),
    "Only fixed VHDs are supported: the footer says disk type 3.",
  ],
  [
    "an image of half a MiB",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/odd.vhd"),
    "The disk has an unsupported virtual size of 524288 bytes. The size must be a whole number (in MBs).",
  ],
  [
    "an image of a cut blob",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/cut.vhd"),
    "The footer says 1048576 bytes, the blob holds 524288 before it.",
  ],
  [
    "an image in another region than its blob",
    "compute:Image",
    (w) => ({ ...imageOf(w.blobUri)(w), location: "northeurope" }),
    `Code="SourceStorageAccountRegionMismatch"`,
  ],
  [
    "an image of nothing",
    "compute:Image",
    ({ place }) => ({ ...place, imageName: "i" }),
    "An image needs either a source virtual machine or a storage profile.",
  ],
  [
    "a second definition of the same three names",
    "compute:GalleryImage",
    ({ place }) => ({
      ...place,
      galleryName: "gallery1",
      galleryImageName: "d2",
      osType: "Linux",
      osState: "Generalized",
      identifier: { publisher: "p", offer: "o", sku: "s" },
    }),
    `Status=409 Code="Conflict" Message="A gallery image with the same publisher, offer and sku exists in this gallery."`,
  ],
  [
    "a version that is not in its own region",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "northeurope" }] } }),
    "The gallery image version's location 'westeurope' must be among its target regions northeurope.",
  ],
  [
    "a version in a region that is none",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "westeurope" }, { name: "atlantis" }] } }),
    "The target region 'atlantis' is not a region of Azure.",
  ],
  [
    "a version in one region twice",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "westeurope" }, { name: "West Europe" }] } }),
    "name one region twice.",
  ],
  [
    "a version with no replica",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "westeurope", regionalReplicaCount: 0 }] } }),
    "A region has 1 to 100 replicas, got 0",
  ],
  [
    "a version of nothing",
    "compute:GalleryImageVersion",
    galleryVersion({ storageProfile: {} }),
    "needs either storageProfile.source or storageProfile.osDiskImage.source.",
  ],
  [
    "a version of an image that is not there",
    "compute:GalleryImageVersion",
    (w) => galleryVersion({ storageProfile: { source: { id: `${w.image.id}x` } } })(w),
    `Status=404 Code="ResourceNotFound"`,
  ],
  [
    "an image of a blob that is no longer than a footer",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/empty.vhd"),
    `Status=409 Code="InvalidVhd" Message="Blob https://account1.blob.core.windows.net/images/empty.vhd of 512 bytes holds no VHD."`,
  ],
  [
    "an image of a disk from nowhere",
    "compute:Image",
    ({ place }) => ({
      ...place,
      imageName: "image2",
      hyperVGeneration: "V2",
      storageProfile: { osDisk: { osType: "Linux", osState: "Generalized" } },
    }),
    "The OS disk of an image needs exactly one of blobUri, managedDisk and snapshot.",
  ],
];

tellRefusals({ checked, refused, prepare: addOddities });
