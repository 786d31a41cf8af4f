import {
  at,
  choice,
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
} from "./fields";

const PUBLISH = ["managed", "gallery"] as const;

/** A region that a gallery's image is copied to. */
export interface TargetRegion {
  /** Azure's name of the region, e.g. `westeurope`. */
  readonly name: string;
  /** Copies, 1 to 100. @default 1 */
  readonly replicas: number;
}

/** The dials of the image. */
export interface ImageSettings {
  /** A VHD that was built elsewhere (`.vhd` or `.vhd.zst`), instead of a build. */
  readonly vhd?: string;
  /** A program that builds the VHD and prints its path, instead of Nix: its argv. */
  readonly builder?: readonly string[];
  /** A managed image, or a version in an Azure Compute Gallery. @default managed */
  readonly publish: (typeof PUBLISH)[number];
  /** Earlier images whose blobs stay for a rollback. @default 2 */
  readonly keep: number;
  /** Where a gallery's image goes; always to the stack's own region. @default that region */
  readonly targetRegions: readonly TargetRegion[];
}

export const DEFAULT_IMAGE = { publish: "managed", keep: 2 } as const;

/** Azure's name of a region: lower-case letters and digits. */
const REGION = /^[a-z][a-z0-9]{2,40}$/;

/** Reads configuration key `azure-native:location`, in either of Azure's spellings. */
export function parseLocation(field: Field): string {
  const name = typeof field.value === "string" ? field.value.toLowerCase().replaceAll(" ", "") : "";
  const remedy = `type pulumi config set ${field.path} westeurope`;
  if (!REGION.test(name)) throw mustBe(field, 'an Azure region, such as "westeurope"', remedy);
  return name;
}

/** Reads configuration key `image`. */
export function parseImage(field: Field, location: string | undefined): ImageSettings {
  const keys = structure(field, ["vhd", "builder", "publish", "keep", "targetRegions"]);
  const value = (key: string) => at(field.path, keys, key);
  if (keys.vhd !== undefined && keys.builder !== undefined) {
    throw malformed(`${field.path} has both a vhd and a builder`, `remove one from ${NAMESPACE}:${field.path}`);
  }
  const regions = value("targetRegions");
  const { vhd, builder, ...image } = gather({
    vhd: () => optional(value("vhd"), undefined, parseVhd),
    builder: () => optional(value("builder"), undefined, parseBuilder),
    publish: () => optional(value("publish"), DEFAULT_IMAGE.publish, (publish) => choice(publish, PUBLISH)),
    keep: () => optional(value("keep"), DEFAULT_IMAGE.keep, (keep) => wholeNumber(keep, 0, 100)),
    targetRegions: () => optional(regions, ownRegion(location), (given) => parseRegions(given, location)),
  });
  if (regions.value !== undefined && image.publish !== "gallery") {
    throw malformed(`${regions.path} is for galleries`, `set ${NAMESPACE}:${field.path}.publish to gallery`);
  }
  return { ...image, ...(vhd === undefined ? {} : { vhd }), ...(builder === undefined ? {} : { builder }) };
}

function parseVhd(field: Field): string {
  return text(field, "the path of a .vhd or .vhd.zst file", /^[^~\0\n][^\0\n]*\.vhd(\.zst)?$/);
}

function parseBuilder(field: Field): string[] {
  const allowed = "a program and its arguments as a list";
  const argv = list(field, allowed, (item) => text(item, "a text", /^[^\0]+$/));
  if (argv.length === 0) throw mustBeUnseen(field, allowed);
  return argv;
}

function ownRegion(location: string | undefined): TargetRegion[] {
  return location === undefined ? [] : [{ name: location, replicas: 1 }];
}

/** @param location the stack's region, or undefined where that is malformed itself */
function parseRegions(field: Field, location: string | undefined): TargetRegion[] {
  const regions = list(field, "a list of regions with name and replicas", parseRegion);
  const names = regions.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw malformed(`${field.path} holds ${twice} twice`, "remove one of them");
  if (location !== undefined && !names.includes(location)) {
    const problem = `${field.path} must hold the stack's own region ${location}, got ${names.join(", ") || "none"}`;
    throw malformed(problem, `add it to ${NAMESPACE}:${field.path}`);
  }
  return regions;
}

function parseRegion(field: Field): TargetRegion {
  const keys = structure(field, ["name", "replicas"]);
  return gather<TargetRegion>({
    name: () => text(at(field.path, keys, "name"), 'an Azure region, such as "westeurope"', REGION),
    replicas: () => optional(at(field.path, keys, "replicas"), 1, (replicas) => wholeNumber(replicas, 1, 100)),
  });
}
