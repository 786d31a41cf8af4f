import type { Cloud, CloudResource } from "../cloud";
import { isMap } from "./values";

/** An answer of Azure's control plane that is an error, printed as azure-native prints it. */
export class ArmError extends Error {
  constructor(
    /** HTTP status. */
    readonly status: number,
    /** Azure's error code. */
    readonly code: string,
    readonly detail: string,
  ) {
    super(`Status=${status} Code="${code}" Message="${detail}"`);
  }
}

export function refuse(status: number, code: string, detail: string): never {
  throw new ArmError(status, code, detail);
}

export interface ParsedId {
  subscription?: string;
  resourceGroup?: string;
  /** `Microsoft.Network/virtualNetworks/subnets`. */
  type: string;
  /** The last segment. */
  name: string;
  /** Names by type segment: `{virtualNetworks: "v", subnets: "s"}`. */
  names: Record<string, string>;
}

/** A resource id taken apart; undefined where it is none. */
export function parseId(id: string): ParsedId | undefined {
  const match = id.match(/^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?(?:\/providers\/(.+))?$/i);
  if (!match) return undefined;
  const [, subscription = "", resourceGroup, rest] = match;
  if (rest === undefined) {
    const type =
      resourceGroup === undefined ? "Microsoft.Resources/subscriptions" : "Microsoft.Resources/resourceGroups";
    return {
      subscription,
      ...(resourceGroup && { resourceGroup }),
      type,
      name: resourceGroup ?? subscription,
      names: {},
    };
  }
  const [namespace = "", ...segments] = rest.split("/");
  if (segments.length === 0 || segments.length % 2 !== 0) return undefined;
  const types = segments.filter((_, index) => index % 2 === 0);
  const names = segments.filter((_, index) => index % 2 === 1);
  return {
    subscription,
    ...(resourceGroup && { resourceGroup }),
    type: [namespace, ...types].join("/"),
    name: names.at(-1) ?? "",
    names: Object.fromEntries(types.map((type, index) => [type, names[index] ?? ""])),
  };
}

/** `West Europe` and `westeurope` are one region. */
export function normalizedLocation(location: string): string {
  return location.toLowerCase().replaceAll(" ", "");
}

/** The values at a path such as `ipConfigurations[].subnet.id`, each with its own path. */
export function valuesAt(value: unknown, path: string, base = ""): { path: string; value: unknown }[] {
  if (path === "") return value === undefined ? [] : [{ path: base, value }];
  const [segment = "", ...rest] = path.split(".");
  const inner = rest.join(".");
  const isList = segment.endsWith("[]");
  const key = isList ? segment.slice(0, -2) : segment;
  const next = key === "" ? value : isMap(value) ? value[key] : undefined;
  const at = key === "" ? base : base === "" ? key : `${base}.${key}`;
  if (!isList) return valuesAt(next, inner, at);
  if (!Array.isArray(next)) return [];
  return next.flatMap((item, index) => valuesAt(item, inner, `${at}[${index}]`));
}

/** The one value at a path without lists. */
export function valueAt(value: unknown, path: string): unknown {
  return valuesAt(value, path)[0]?.value;
}

export function textAt(value: unknown, path: string): string | undefined {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : undefined;
}

/** Resources of a type whose answer mentions `id` at `path`: who uses it. */
export function usersOf(cloud: Cloud, type: string, path: string, id: string): CloudResource[] {
  const wanted = id.toLowerCase();
  const uses = (resource: CloudResource) =>
    valuesAt(resource, path).some(({ value }) => typeof value === "string" && value.toLowerCase() === wanted);
  return cloud.list({ type }).filter(uses);
}

/** Regions that the rehearsal knows: enough to catch a misspelt one. Source: `az account list-locations`. */
const REGIONS = new Set(
  `australiacentral australiaeast australiasoutheast austriaeast brazilsouth canadacentral canadaeast centralindia
  centralus chilecentral eastasia eastus eastus2 francecentral germanywestcentral indonesiacentral israelcentral
  italynorth japaneast japanwest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus
  northeurope norwayeast polandcentral qatarcentral southafricanorth southcentralus southindia southeastasia
  spaincentral swedencentral switzerlandnorth uaenorth uksouth ukwest westcentralus westeurope westindia westus
  westus2 westus3 usgovarizona usgovtexas usgovvirginia chinaeast2 chinaeast3 chinanorth2 chinanorth3`.split(/\s+/),
);

export function isRegion(location: string): boolean {
  return REGIONS.has(normalizedLocation(location));
}
