import { type Field, mustBe, text } from "../config/fields";

/** A VM size's name taken apart. Source: https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions */
interface VmSize {
  /** Upper-case letters: the family and its kind, e.g. `D` or `DC`. */
  readonly family: string;
  /** Lower-case letters: what the size adds, e.g. `ds` in `Standard_D2ds_v5`. */
  readonly features: string;
  /** @default 1 */
  readonly version: number;
}

/** What a machine of a size asks of the image that it boots. */
export interface SizeNeeds {
  /** As a gallery's image definition spells it. */
  readonly architecture: "x64" | "Arm64";
  /** Whether its disks are reached by NVMe. */
  readonly nvme: boolean;
}

const FORM = /^(?:Standard|Basic)_([A-Z]+)\d+(?:-\d+)?([a-z]*)(?:_[A-Z][A-Za-z0-9]*)*(?:_v(\d+))?$/;

/** Families whose sizes without premium storage (`s`) exist for Generation 1 only, up to this version. */
const FIRST_GENERATION: Readonly<Record<string, number>> = { A: 2, D: 3, F: 1 };

/** From this version on, a family's disks are reached by NVMe; any family's are from version 6 on. */
const NVME: Readonly<Record<string, number>> = { FX: 2, L: 4 };

/** Where an ephemeral OS disk may lie on the host. Source: https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks */
export const PLACEMENTS = ["CacheDisk", "ResourceDisk", "NvmeDisk"] as const;
export type Placement = (typeof PLACEMENTS)[number];

/**
 * Reads a VM size and refuses those that no image of ours boots on: sizes of Generation 1 and confidential machines.
 * Sizes that Azure does not offer (in this region) are for Azure to refuse.
 */
export function parseVmSize(field: Field, ephemeralOsDisk: boolean): string {
  const name = text(field, 'a VM size\'s full name, such as "Standard_B2s"', FORM);
  const size = takeApart(name);
  if (isFirstGeneration(name, size)) throw mustBe(field, "a size for Generation 2 images (UEFI)");
  if (isConfidential(size)) throw mustBe(field, "a size that is not for confidential machines");
  if (ephemeralOsDisk && placementsOf(name).length === 0) {
    const allowed = 'a size with a local disk for the ephemeral OS disk, such as "Standard_D2ds_v5"';
    throw mustBe(field, allowed, "set sealed-onion:vmSize, or sealed-onion:ephemeralOsDisk to false");
  }
  return name;
}

/** What the image of a machine of that size has to be made for. */
export function needsOf(name: string): SizeNeeds {
  const size = takeApart(name);
  return { architecture: size.features.includes("p") ? "Arm64" : "x64", nvme: isNvme(size) };
}

/** Burstable sizes (B) are not offered at spot prices. Source: https://learn.microsoft.com/azure/virtual-machines/spot-vms#limitations */
export function isBurstable(name: string): boolean {
  return takeApart(name).family === "B";
}

/**
 * Where a size has room for an OS disk on its host: a cache (premium storage up to version 3, or `d` in versions 4 and
 * 5), a temporary disk, or a local NVMe disk (`d` from version 6 on). Burstable sizes have none.
 * Source: https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks
 */
export function placementsOf(name: string): readonly Placement[] {
  const { family, features, version } = takeApart(name);
  if (family === "B" || !features.includes("s")) return [];
  if (version >= 6) return features.includes("d") ? ["NvmeDisk"] : [];
  return version <= 3 || features.includes("d") ? ["CacheDisk", "ResourceDisk"] : [];
}

function takeApart(name: string): VmSize {
  const [, family = "", features = "", version = "1"] = FORM.exec(name) ?? [];
  return { family, features, version: Number(version) };
}

function isFirstGeneration(name: string, { family, features, version }: VmSize): boolean {
  return name.startsWith("Basic_") || (!features.includes("s") && version <= (FIRST_GENERATION[family] ?? 0));
}

/** Source: https://learn.microsoft.com/azure/confidential-computing/virtual-machine-options (v2 and v3 have enclaves only) */
function isConfidential({ family, version }: VmSize): boolean {
  return family === "NCC" || (["DC", "EC"].includes(family) && version >= 5);
}

/**
 * AMD's sizes of version 6 are said to take SCSI as well; Azure refuses them with images that know SCSI alone.
 * Source: https://learn.microsoft.com/azure/virtual-machines/nvme-overview
 */
function isNvme({ family, version }: VmSize): boolean {
  return version >= (NVME[family] ?? 6);
}
