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

const FORM = /^(?:Standard|Basic)_([A-Z]+)\d+(?:-\d+)?([a-z]*)(?:_[A-Z][A-Za-z0-9]*)*(?:_v(\d+))?$/;

/** Families whose sizes without premium storage (`s`) exist for Generation 1 only, up to this version. */
const FIRST_GENERATION: Readonly<Record<string, number>> = { A: 2, D: 3, F: 1 };

/** From this version on, a family's disks are reached by NVMe alone; any family's are from version 7 on. */
const NVME_ALONE: Readonly<Record<string, number>> = { FX: 2, L: 4 };

/**
 * Reads a VM size and refuses those that this image cannot boot on: sizes of Generation 1, Arm processors, confidential
 * machines, and disks by NVMe alone. Sizes that Azure does not offer (in this region) are for Azure to refuse.
 */
export function parseVmSize(field: Field, ephemeralOsDisk: boolean): string {
  const name = text(field, 'a VM size\'s full name, such as "Standard_B2s"', FORM);
  const size = takeApart(name);
  if (isFirstGeneration(name, size)) throw mustBe(field, "a size for Generation 2 images (UEFI)");
  if (size.features.includes("p")) throw mustBe(field, "a size with an x86-64 processor, not Arm");
  if (isConfidential(size)) throw mustBe(field, "a size that is not for confidential machines");
  if (isNvmeAlone(size)) throw mustBe(field, 'a size whose disks are not by NVMe alone, such as "Standard_D2s_v5"');
  if (ephemeralOsDisk && !holdsOsDisk(size)) {
    const allowed = 'a size with a local disk for the ephemeral OS disk, such as "Standard_D2ds_v5"';
    throw mustBe(field, allowed, "set sealed-onion:vmSize, or sealed-onion:ephemeralOsDisk to false");
  }
  return name;
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

/** Of version 6, AMD's sizes (`a`) take both. Source: https://learn.microsoft.com/azure/virtual-machines/nvme-overview */
function isNvmeAlone({ family, features, version }: VmSize): boolean {
  if (version >= (NVME_ALONE[family] ?? 7)) return true;
  return version === 6 && !features.includes("a");
}

/**
 * Whether a size has room for an OS disk on its host: a cache (premium storage up to version 3) or a local disk (`d` in
 * versions 4 and 5; later ones are NVMe, which this image does not boot from). Burstable sizes have neither.
 * Source: https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks
 */
function holdsOsDisk({ family, features, version }: VmSize): boolean {
  const isBurstable = family === "B";
  return !isBurstable && features.includes("s") && (version <= 3 || (version <= 5 && features.includes("d")));
}
