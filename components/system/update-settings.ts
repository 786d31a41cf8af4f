import { choice, type Field, gather, optional } from "../config/fields";

const UPDATES = ["inPlace", "replace"] as const;
const REBOOTS = ["auto", "manual"] as const;

/** How a change reaches a machine that is there. */
export interface UpdateSettings {
  /** `inPlace`: the running machine takes the new system; `replace`: a new image, and a new machine of it. @default replace */
  readonly update: (typeof UPDATES)[number];
  /** Whether a machine whose system has another kernel reboots by itself. @default manual */
  readonly reboot: (typeof REBOOTS)[number];
}

export const DEFAULT_UPDATE: UpdateSettings = { update: "replace", reboot: "manual" };

/** Built-in role "Storage Blob Data Reader". */
export const BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

/** Reads the keys of the same names. */
export function parseUpdate(value: (key: string) => Field): UpdateSettings {
  return gather<UpdateSettings>({
    update: () => optional(value("update"), DEFAULT_UPDATE.update, (field) => choice(field, UPDATES)),
    reboot: () => optional(value("reboot"), DEFAULT_UPDATE.reboot, (field) => choice(field, REBOOTS)),
  });
}
