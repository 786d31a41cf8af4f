import type { Finding } from "./finding";
import { type Count, type Counted, peak, replacement, wantedMachines } from "./quota-needs";

/** Where a stack's machines are. */
export interface Place {
  readonly stack: string;
  readonly subscription: string;
  /** Azure's name of the region. */
  readonly location: string;
  readonly group: string;
}

/** How much of a quota is used. */
export interface Usage {
  readonly name: { readonly value: string; readonly localizedValue: string };
  readonly currentValue: number;
  readonly limit: number;
}

/** What Azure offers in a region. */
export interface Sku {
  readonly resourceType: string;
  readonly name: string;
  /** A virtual machine's: as its quota is called. */
  readonly family?: string;
  readonly capabilities?: readonly { readonly name: string; readonly value: string }[];
  readonly restrictions?: readonly { readonly type: string }[];
}

/** What Azure says. */
export interface Known {
  readonly place: Place;
  readonly usages: readonly Usage[];
  readonly sizes: readonly Sku[];
  /** The machines that serve, without front ends. */
  readonly there: readonly Counted[];
}

/** A quota that is too small. */
interface Short {
  readonly usage: Usage;
  readonly free: number;
  /** Of it, what the next `up` needs; 0 where the machines are there. */
  readonly now: number;
  /** With what a replacement needs on top. */
  readonly need: number;
}

const NAME = "quota";
const ADDRESSES = "StandardSkuPublicIpAddresses";

/** @param own a value of `sealed-onion:KEY` */
export function quotaFinding(own: (key: string) => unknown, known: Known): Finding {
  const { location } = known.place;
  const wanted = wantedMachines(own);
  const all = [...wanted.frontEnds, ...wanted.machines];
  const absent = all.find(({ size }) => isRefused(skuOf(known, size)));
  if (absent !== undefined) {
    const found = `${location} does not offer ${absent.size} to this subscription`;
    const look = `az vm list-skus --location ${location} --resource-type virtualMachines --output table`;
    return { name: NAME, state: "missing", found, type: `${look}, and set sealed-onion:vmSize` };
  }
  const [worst] = known.usages.flatMap((usage) => shortOf(usage, known, wanted)).sort(byUrgency);
  if (worst !== undefined) return shortFinding(worst, known.place, wanted.machines.length > 1 && !wanted.oldFirst);
  const machines = all.length === 1 ? "a machine" : `${all.length} machines`;
  return {
    name: NAME,
    state: "ok",
    found: `${location} has room for ${machines}, and for their successors beside them`,
  };
}

function shortOf(usage: Usage, known: Known, wanted: ReturnType<typeof wantedMachines>): Short[] {
  const count = countOf(usage.name.value, (size) => skuOf(known, size));
  const all = [...wanted.frontEnds, ...wanted.machines].map((made) => ({ made }));
  const isFirst = known.there.length === 0;
  const free = usage.limit - usage.currentValue;
  const now = isFirst ? peak(all, count) : 0;
  const need = now + peak(replacement(wanted, isFirst ? wanted.machines : known.there), count);
  return need > Math.max(free, 0) ? [{ usage, free, now, need }] : [];
}

/** What `up` fails for comes first. */
function byUrgency(left: Short, right: Short): number {
  return right.now - right.free - (left.now - left.free);
}

function shortFinding(
  { free, need, now, usage }: Short,
  { location, subscription }: Place,
  couldTurn: boolean,
): Finding {
  const { localizedValue, value } = usage.name;
  const isNow = now > free;
  const what = isNow ? `${now} are needed` : `${need} are needed to replace machines while those before serve`;
  const found = `${free} of ${usage.limit} ${localizedValue} are free in ${location}, and ${what}`;
  const provider = isSame(value, ADDRESSES) ? "Microsoft.Network" : "Microsoft.Compute";
  const scope = `/subscriptions/${subscription}/providers/${provider}/locations/${location}`;
  const limit = usage.currentValue + need;
  const more = `az quota update --resource-name ${value} --scope ${scope} --limit-object value=${limit}`;
  const turns = "pulumi config set sealed-onion:rollout oneByOne, or ";
  return {
    name: NAME,
    state: isNow ? "missing" : "warning",
    found,
    type: `${!isNow && couldTurn ? turns : ""}${more}`,
  };
}

/** What one quota counts of a machine: cores of its family, of all, of those at spot prices, or public addresses. */
function countOf(quota: string, sku: (size: string) => Sku | undefined): Count {
  const cores = (size: string) => {
    return Number(sku(size)?.capabilities?.find(({ name }) => name === "vCPUs")?.value ?? 0);
  };
  if (isSame(quota, ADDRESSES)) return ({ address }) => Number(address);
  if (isSame(quota, "virtualMachines")) return () => 1;
  if (isSame(quota, "lowPriorityCores")) return ({ size, spot }) => (spot ? cores(size) : 0);
  if (isSame(quota, "cores")) return ({ size, spot }) => (spot ? 0 : cores(size));
  return ({ size, spot }) => (!spot && isSame(sku(size)?.family ?? "", quota) ? cores(size) : 0);
}

function skuOf({ sizes }: Known, size: string): Sku | undefined {
  return sizes.find(({ name, resourceType }) => resourceType === "virtualMachines" && isSame(name, size));
}

function isRefused(sku: Sku | undefined): boolean {
  return sku === undefined || (sku.restrictions ?? []).some(({ type }) => type === "Location");
}

/** Azure does not always spell them alike. */
function isSame(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
