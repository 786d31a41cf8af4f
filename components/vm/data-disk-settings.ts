import { at, choice, type Field, gather, optional, structure, wholeNumber } from "../config/fields";

/** Kinds that any VM takes, each in the machine's own zone. */
const TYPES = ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS"] as const;

/** A disk of the stack that outlives its machines: tor's guards, and what services keep, are on it. */
export interface DataDisk {
  /** GiB, 4 to 32767. It can grow, never shrink. */
  readonly sizeGib: number;
  /** @default StandardSSD_LRS */
  readonly type: (typeof TYPES)[number];
}

/** Reads configuration key `dataDisk`, which is off where it is empty. */
export function parseDataDisk(field: Field): DataDisk | undefined {
  const keys = structure(field, ["sizeGib", "type"]);
  if (Object.keys(keys).length === 0) return undefined;
  return gather<DataDisk>({
    sizeGib: () => wholeNumber(at(field.path, keys, "sizeGib"), 4, 32_767),
    type: () => optional(at(field.path, keys, "type"), "StandardSSD_LRS", (type) => choice(type, TYPES)),
  });
}
