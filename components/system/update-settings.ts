import { choice, type Field, gather, optional } from "../config/fields";

const UPDATES = ["inPlace", "replace"] as const;
const REBOOTS = ["auto", "manual"] as const;

/** How a change reaches a machine that is there. */
export interface UpdateSettings {
  /**
   * `inPlace`: the running machine takes the new system; `replace`: a new image, and a new machine of it.
   * @default what {@link defaultUpdate} says
   */
  readonly update: (typeof UPDATES)[number];
  /** Whether a machine whose system has another kernel reboots by itself. @default manual */
  readonly reboot: (typeof REBOOTS)[number];
}

export const DEFAULT_UPDATE: UpdateSettings = { update: "inPlace", reboot: "manual" };

/** Built-in role "Storage Blob Data Reader". */
export const BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

/** What a stack is like that says nothing of updates. */
export interface UpdateNeeds {
  /** Several machines behind one address. */
  readonly isFleet: boolean;
  /** Its disk is built elsewhere, or by another program than Nix: then there may be no Nix here. */
  readonly isBuiltElsewhere: boolean;
}

/**
 * In place, where that can be: several machines take a new image one after the other, as a system is asked for by all at
 * once and none would serve while they switch; and a system is built by Nix.
 */
export function defaultUpdate({ isBuiltElsewhere, isFleet }: UpdateNeeds): UpdateSettings["update"] {
  return isFleet || isBuiltElsewhere ? "replace" : DEFAULT_UPDATE.update;
}

/** What a configuration is like, as far as it can be read: what is wrong in it is said where it is parsed. @param own a value of `sealed-onion:KEY` */
export function updateNeeds(own: (key: string) => unknown): UpdateNeeds {
  const { builder, vhd } = (own("image") ?? {}) as { vhd?: unknown; builder?: unknown };
  return { isFleet: Number(own("replicas") ?? 1) > 1, isBuiltElsewhere: vhd !== undefined || builder !== undefined };
}

/** Reads the keys of the same names. @param byDefault what `update` is where nothing is said */
export function parseUpdate(value: (key: string) => Field, byDefault: UpdateSettings["update"]): UpdateSettings {
  return gather<UpdateSettings>({
    update: () => optional(value("update"), byDefault, (field) => choice(field, UPDATES)),
    reboot: () => optional(value("reboot"), DEFAULT_UPDATE.reboot, (field) => choice(field, REBOOTS)),
  });
}
