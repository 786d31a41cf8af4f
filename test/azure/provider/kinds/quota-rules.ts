import { computeUsages, coresOf, familyOf } from "../../resource-manager/quota";
import { normalizedLocation, textAt } from "../arm";
import { quotaExceeded } from "../provider-faults";
import type { Situation } from "../resource-kind";

/** A machine's cores count for its region and its family, or for those at spot prices. Throws ArmError. */
export function checkQuota({ cloud, wanted, existing }: Situation): void {
  const size = textAt(wanted.properties, "hardwareProfile.vmSize") ?? "";
  const before = textAt(existing?.properties, "hardwareProfile.vmSize") ?? "";
  if (size === before) return;
  const location = normalizedLocation(wanted.location ?? "");
  const isSpot = textAt(wanted.properties, "priority") === "Spot";
  const names = isSpot ? ["lowPriorityCores"] : ["cores", familyOf(size)];
  const replaced = (name: string) => (name === "cores" || name === familyOf(before) ? coresOf(before) : 0);
  for (const { name, currentValue: usage, limit } of computeUsages(cloud, location)) {
    const required = coresOf(size) - replaced(name.value);
    if (!names.includes(name.value) || usage + required <= limit) continue;
    throw quotaExceeded(location, limit, { usage, required, of: name.value === "cores" ? undefined : name.value });
  }
}
