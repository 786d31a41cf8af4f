import {
  at,
  choice,
  distinct,
  type Field,
  gather,
  list,
  malformed,
  mustBe,
  mustBeUnseen,
  NAMESPACE,
  optional,
  structure,
  text,
  wholeNumber,
} from "../config/fields";

const PUBLISH = ["managed", "gallery"] as const;
const UPLOAD = ["granted", "own"] as const;

/** A region that a gallery's image is copied to. */
export interface TargetRegion {
  /** Azure's name of the region, e.g. `westeurope`. */
  readonly name: string;
  /** Copies, 1 to 100. @default 1 */
  readonly replicas: number;
}

/** The dials of the image. */
export interface ImageSettings {
  /** A disk that was built elsewhere (a fixed VHD, a VHD packed by zstd, or a raw disk), instead of a build. */
  readonly vhd?: string;
  /** A program that builds the disk and prints its path, instead of Nix: its argv. */
  readonly builder?: readonly string[];
  /** A managed image, or a version in an Azure Compute Gallery. @default managed */
  readonly publish: (typeof PUBLISH)[number];
  /**
   * Whether the sealers are granted the account's blobs, or the uploader has a right or a SAS of their own.
   * @default granted
   */
  readonly upload: (typeof UPLOAD)[number];
  /** Earlier images whose blobs stay for a rollback. @default 2 */
  readonly keep: number;
  /** Grows to make another image where machines take their systems in place; of no meaning elsewhere. @default 1 */
  readonly generation: number;
  /** Where a gallery's image goes, the stack's own region included; none for a managed image. @default that region */
  readonly targetRegions: readonly TargetRegion[];
}

export const DEFAULT_IMAGE = { publish: "managed", upload: "granted", keep: 2, generation: 1 } as const;

/** Azure's name of a region: lower-case letters and digits. */
const REGION = /^[a-z][a-z0-9]{2,40}$/;

/** Reads configuration key `azure-native:location`, in either of Azure's spellings. */
export function parseLocation(field: Field): string {
  const name = typeof field.value === "string" ? field.value.toLowerCase().replaceAll(" ", "") : "";
  const remedy = `type pulumi config set ${field.path} westeurope`;
  if (!REGION.test(name)) throw mustBe(field, 'an Azure region, such as "westeurope"', remedy);
  return name;
}

/** Reads configuration key `image`, without regard to the stack's own region: see {@link inOwnRegion}. */
export function parseImage(field: Field): ImageSettings {
  const keys = structure(field, ["vhd", "builder", "publish", "upload", "keep", "generation", "targetRegions"]);
  const value = (key: string) => at(field.path, keys, key);
  if (keys.vhd !== undefined && keys.builder !== undefined) {
    throw malformed(`${field.path} has both a vhd and a builder`, `remove one from ${NAMESPACE}:${field.path}`);
  }
  const regions = value("targetRegions");
  const { vhd, builder, ...image } = gather({
    vhd: () => optional(value("vhd"), undefined, parseVhd),
    builder: () => optional(value("builder"), undefined, parseBuilder),
    publish: () => optional(value("publish"), DEFAULT_IMAGE.publish, (publish) => choice(publish, PUBLISH)),
    upload: () => optional(value("upload"), DEFAULT_IMAGE.upload, (upload) => choice(upload, UPLOAD)),
    keep: () => optional(value("keep"), DEFAULT_IMAGE.keep, (keep) => wholeNumber(keep, 0, 100)),
    generation: () =>
      optional(value("generation"), DEFAULT_IMAGE.generation, (field) => wholeNumber(field, 1, 1_000_000)),
    targetRegions: () => optional(regions, [], parseRegions),
  });
  if (regions.value !== undefined && image.publish !== "gallery") {
    throw malformed(`${regions.path} is for galleries`, `set ${NAMESPACE}:${field.path}.publish to gallery`);
  }
  return { ...image, ...(vhd === undefined ? {} : { vhd }), ...(builder === undefined ? {} : { builder }) };
}

/** Any name will do: what a disk is, its content says (`openDisk`). No shell reads this, to which `~` would mean home. */
function parseVhd(field: Field): string {
  return text(field, "the path of a disk file, without ~", /^[^~\0\n][^\0\n]*$/);
}

function parseBuilder(field: Field): string[] {
  const allowed = "a program and its arguments as a list";
  const argv = list(field, allowed, (item) => text(item, "a text", /^[^\0]+$/));
  if (argv.length === 0) throw mustBeUnseen(field, allowed);
  return argv;
}

function parseRegions(field: Field): TargetRegion[] {
  const regions = list(field, "a list of regions with name and replicas", parseRegion);
  distinct(
    field,
    regions.map(({ name }) => name),
  );
  return regions;
}

/** The settings with the stack's own region among a gallery's, where Azure wants the VM's image to be. */
export function inOwnRegion(image: ImageSettings, location: string): ImageSettings {
  if (image.publish === "managed") return image;
  if (image.targetRegions.length === 0) return { ...image, targetRegions: [{ name: location, replicas: 1 }] };
  const names = image.targetRegions.map(({ name }) => name);
  if (names.includes(location)) return image;
  const problem = `image.targetRegions must hold the stack's own region ${location}, got ${names.join(", ")}`;
  throw malformed(problem, `add it to ${NAMESPACE}:image.targetRegions`);
}

function parseRegion(field: Field): TargetRegion {
  const keys = structure(field, ["name", "replicas"]);
  return gather<TargetRegion>({
    name: () => text(at(field.path, keys, "name"), 'an Azure region, such as "westeurope"', REGION),
    replicas: () => optional(at(field.path, keys, "replicas"), 1, (replicas) => wholeNumber(replicas, 1, 100)),
  });
}
