import type { Cloud, CloudResource } from "../cloud";
import { vmSizes } from "../provider/kinds/vm-sizes";

/** How much of a quota a region's resources use, as Azure lists it. */
export interface Usage {
  readonly unit: "Count";
  readonly name: { readonly value: string; readonly localizedValue: string };
  readonly currentValue: number;
  readonly limit: number;
}

const MACHINE = "Microsoft.Compute/virtualMachines";
const ADDRESS = "Microsoft.Network/publicIPAddresses";
/** Of a subscription that has paid for a while. */
const LIMITS: Readonly<Record<string, number>> = { virtualMachines: 25_000, StandardSkuPublicIpAddresses: 1_000 };
const LIMIT = 100;

const sizeOf = ({ properties }: CloudResource) => {
  return String((properties.hardwareProfile as { vmSize?: unknown } | undefined)?.vmSize ?? "");
};
const isSpot = ({ properties }: CloudResource) => properties.priority === "Spot";

/** Of a size: the first number of its name. */
export function coresOf(size: string): number {
  return Number(/^Standard_[A-Z]+(\d+)/i.exec(size)?.[1] ?? 0);
}

/** What the quota of a size is called: `Standard_D2ds_v5` is of `standardDDSv5Family`. */
export function familyOf(size: string): string {
  const [, family = "", features = "", version = ""] = /^Standard_([A-Z]+)\d+([a-z]*)(?:_(v\d+))?$/.exec(size) ?? [];
  const kind = family === "B" && version === "" ? "S" : features.replace(/[mtl]/g, "").toUpperCase();
  return `standard${family}${kind}${version}Family`;
}

/** Source: https://learn.microsoft.com/rest/api/compute/usage/list */
export function computeUsages(cloud: Cloud, location: string): Usage[] {
  const machines = cloud.list({ type: MACHINE }).filter((machine) => machine.location === location);
  const cores = (those: readonly CloudResource[]) => those.reduce((sum, one) => sum + coresOf(sizeOf(one)), 0);
  const regular = machines.filter((machine) => !isSpot(machine));
  const families = [...new Set(Object.keys(vmSizes).map(familyOf))].map((family) => {
    const those = regular.filter((machine) => familyOf(sizeOf(machine)) === family);
    return usage(
      cloud,
      family,
      `${family.replace("standard", "Standard ").replace(/Family$/, "")} Family vCPUs`,
      cores(those),
    );
  });
  return [
    usage(cloud, "cores", "Total Regional vCPUs", cores(regular)),
    usage(cloud, "lowPriorityCores", "Total Regional Low-priority vCPUs", cores(machines.filter(isSpot))),
    usage(cloud, "virtualMachines", "Virtual Machines", machines.length),
    ...families,
  ];
}

/** Source: https://learn.microsoft.com/rest/api/virtualnetwork/usages/list */
export function networkUsages(cloud: Cloud, location: string): Usage[] {
  const addresses = cloud.list({ type: ADDRESS }).filter((address) => address.location === location);
  return [usage(cloud, "StandardSkuPublicIpAddresses", "Public IPv4 Addresses - Standard", addresses.length)];
}

function usage({ quotas }: Cloud, value: string, localizedValue: string, currentValue: number): Usage {
  const limit = quotas.get(value) ?? LIMITS[value] ?? LIMIT;
  return { unit: "Count", name: { value, localizedValue }, currentValue, limit };
}

/** Source: https://learn.microsoft.com/rest/api/compute/resource-skus/list */
export function skusIn(location: string): object[] {
  return Object.keys(vmSizes).map((name) => ({
    resourceType: "virtualMachines",
    name,
    tier: "Standard",
    size: name.replace("Standard_", ""),
    family: familyOf(name),
    locations: [location],
    locationInfo: [{ location, zones: ["1", "2", "3"], zoneDetails: [] }],
    capabilities: [{ name: "vCPUs", value: String(coresOf(name)) }],
    restrictions: [],
  }));
}
