import {
  at,
  boolean,
  choice,
  distinct,
  type Field,
  gather,
  list,
  malformed,
  mustBe,
  NAMESPACE,
  optional,
  structure,
  text,
  wholeNumber,
} from "../config/fields";
import { isBurstable, PLACEMENTS, type Placement, placementsOf } from "./vm-size";

const DISK_TYPES = ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS", "StandardSSD_ZRS", "Premium_ZRS"] as const;
const ZONES = [1, 2, 3] as const;

/** A region's availability zone, as a subscription counts them. */
export type Zone = (typeof ZONES)[number];

/** The disk that a machine boots from. */
export interface OsDisk {
  /** Of a disk that outlives the machine's host. @default StandardSSD_LRS */
  readonly type: (typeof DISK_TYPES)[number];
  /** GiB, 5 to 4095. @default the image's own size */
  readonly sizeGiB?: number;
  /** Where an ephemeral OS disk lies on the host. @default what Azure chooses for the size */
  readonly placement?: Placement;
  /** Id of the disk encryption set whose key encrypts the disk. @default Azure's own key */
  readonly encryptionSet?: string;
}

/** What protects a machine against its host and its boot chain. */
export interface MachineSecurity {
  /** Whether caches and temporary disks are encrypted on the host as well. @default false */
  readonly encryptionAtHost: boolean;
  /** Whether the machine has a vTPM of Trusted Launch. Secure Boot stays off: nothing signs NixOS's kernels. @default false */
  readonly trustedLaunch: boolean;
}

/** The dials of what Azure runs a machine on. */
export interface Hardware {
  readonly osDisk: OsDisk;
  readonly security: MachineSecurity;
  /** Where machines may be; one machine is in the first. @default none: Azure chooses */
  readonly zones: readonly Zone[];
  /** Whether Azure may take the machine away for a lower price. @default false */
  readonly spot: boolean;
}

export const DEFAULT_HARDWARE: Hardware = {
  osDisk: { type: "StandardSSD_LRS" },
  security: { encryptionAtHost: false, trustedLaunch: false },
  zones: [],
  spot: false,
};

/** Reads the keys of the same names. @param size of the machine; undefined where it is itself malformed */
export function parseHardware(value: (key: string) => Field, size: string | undefined): Hardware {
  const { osDisk, security, zones, spot } = DEFAULT_HARDWARE;
  return gather<Hardware>({
    osDisk: () => optional(value("osDisk"), osDisk, (field) => parseOsDisk(field, value("ephemeralOsDisk"), size)),
    security: () => optional(value("security"), security, parseSecurity),
    zones: () => optional(value("zones"), zones, parseZones),
    spot: () => optional(value("spot"), spot, (field) => parseSpot(field, size)),
  });
}

function parseOsDisk(field: Field, ephemeral: Field, size: string | undefined): OsDisk {
  const keys = structure(field, ["type", "sizeGiB", "placement", "encryptionSet"]);
  const value = (key: string) => at(field.path, keys, key);
  const placement = value("placement");
  if (placement.value !== undefined && ephemeral.value !== true) {
    throw malformed(`${placement.path} is for ephemeral OS disks`, `set ${NAMESPACE}:ephemeralOsDisk to true`);
  }
  if (keys.type !== undefined && ephemeral.value === true) {
    throw malformed(`${field.path}.type is of disks that are kept, got ephemeralOsDisk true`, `remove one of them`);
  }
  const { type, ...others } = gather({
    type: () => optional(value("type"), DEFAULT_HARDWARE.osDisk.type, (type) => choice(type, DISK_TYPES)),
    sizeGiB: () => optional(value("sizeGiB"), undefined, (gib) => wholeNumber(gib, 5, 4095)),
    placement: () => optional(placement, undefined, (place) => parsePlacement(place, size)),
    encryptionSet: () => optional(value("encryptionSet"), undefined, parseEncryptionSet),
  });
  return { type, ...Object.fromEntries(Object.entries(others).filter(([, given]) => given !== undefined)) };
}

function parsePlacement(field: Field, size: string | undefined): Placement {
  const placement = choice(field, PLACEMENTS);
  const possible = size === undefined ? PLACEMENTS : placementsOf(size);
  if (possible.includes(placement)) return placement;
  throw mustBe(field, `${possible.join(" or ") || "unset"} on ${size}`);
}

/** Source: https://learn.microsoft.com/azure/virtual-machines/disk-encryption */
function parseEncryptionSet(field: Field): string {
  const form =
    /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Compute\/diskEncryptionSets\/[^/]+$/i;
  return text(field, "the id of a disk encryption set (az disk-encryption-set list --query [].id)", form);
}

function parseSecurity(field: Field): MachineSecurity {
  const keys = structure(field, ["encryptionAtHost", "trustedLaunch"]);
  const read = (key: keyof MachineSecurity) => () =>
    optional(at(field.path, keys, key), DEFAULT_HARDWARE.security[key], boolean);
  return gather<MachineSecurity>({ encryptionAtHost: read("encryptionAtHost"), trustedLaunch: read("trustedLaunch") });
}

function parseZones(field: Field): readonly Zone[] {
  return distinct(
    field,
    list(field, "a list of zones, such as [1, 2, 3]", (zone) => choice(zone, ZONES)),
  );
}

function parseSpot(field: Field, size: string | undefined): boolean {
  const spot = boolean(field);
  if (spot && size !== undefined && isBurstable(size)) {
    const problem = `${field.path} is true, and ${size} is burstable, which Azure does not offer at spot prices`;
    throw malformed(problem, `set ${NAMESPACE}:vmSize, such as Standard_D2as_v5`);
  }
  return spot;
}
