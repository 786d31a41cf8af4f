import { type Inputs, type PlannedChange, textIn } from "./plan";

/**
 * US dollars a month (730 hours), list prices of West Europe without tax, rounded: enough to see what a dial does.
 * Source: https://azure.microsoft.com/pricing/calculator/
 */
const VM_PRICES: Readonly<Record<string, number>> = {
  Standard_B1ls: 4,
  Standard_B1ms: 18,
  Standard_B1s: 9,
  Standard_B2als_v2: 32,
  Standard_B2as_v2: 63,
  Standard_B2ats_v2: 8,
  Standard_B2ls_v2: 35,
  Standard_B2ms: 70,
  Standard_B2pts_v2: 7,
  Standard_B2s: 35,
  Standard_B2s_v2: 70,
  Standard_B2ts_v2: 9,
  Standard_D2ads_v5: 91,
  Standard_D2as_v5: 76,
  Standard_D2ds_v5: 99,
  Standard_D2s_v3: 88,
  Standard_D2s_v5: 84,
  Standard_D4s_v3: 175,
  Standard_E2ds_v5: 126,
  Standard_F2s_v2: 71,
};
const PUBLIC_ADDRESS = 4;
const NAT_GATEWAY = 33;
const PRIVATE_ENDPOINT = 7;
const PRIVATE_ZONE = 0.5;
/** A GiB and month. */
const DISK_PRICES: Readonly<Record<string, number>> = {
  Standard_LRS: 0.05,
  StandardSSD_LRS: 0.075,
  StandardSSD_ZRS: 0.11,
  Premium_LRS: 0.16,
  Premium_ZRS: 0.24,
};
/** GiB that a disk of a machine has at least in Azure's books: each costs as the next power of two. */
const SMALLEST_OS_DISK = 32;
const HSM_KEY = { small: 1, large: 5 };
/** About 2 GiB of data, in a page blob or a gallery's replica. */
const IMAGE_DATA = 0.1;

/** One thing that costs, with its price before and after; undefined: not in the table. */
export interface CostChange {
  what: string;
  before: number | undefined;
  after: number | undefined;
}

type Pricing = { what: (inputs: Inputs) => string; price: (inputs: Inputs) => number | undefined };

function keyPrice(inputs: Inputs): number {
  const { properties } = inputs as { properties?: { kty?: string; keySize?: number } };
  if (properties?.kty !== "RSA-HSM") return 0;
  return (properties.keySize ?? 0) > 2048 ? HSM_KEY.large : HSM_KEY.small;
}

function dataDiskPrice(inputs: Inputs): number | undefined {
  const price = DISK_PRICES[textIn(inputs, "sku", "name") ?? ""];
  return price === undefined ? undefined : Math.round(Number(inputs.diskSizeGB) * price);
}

function vmSize(inputs: Inputs): string {
  return textIn(inputs, "hardwareProfile", "vmSize") ?? "";
}

/** What is taken away at any time has a price that changes by the hour. */
function isSpot(inputs: Inputs): boolean {
  return textIn(inputs, "priority") === "Spot";
}

function machineWords(inputs: Inputs): string {
  return `VM, ${vmSize(inputs)}${isSpot(inputs) ? " at spot price" : ""}`;
}

/** Nothing on the host; of the default kind at the image's size. */
function diskPrice(inputs: Inputs): number | undefined {
  const { storageProfile } = inputs as {
    storageProfile?: { osDisk?: { diskSizeGB?: number; diffDiskSettings?: object; managedDisk?: object } };
  };
  const { diffDiskSettings, diskSizeGB } = storageProfile?.osDisk ?? {};
  if (diffDiskSettings !== undefined) return 0;
  const type = textIn(inputs, "storageProfile", "osDisk", "managedDisk", "storageAccountType") ?? "StandardSSD_LRS";
  const price = DISK_PRICES[type];
  const size = Math.max(SMALLEST_OS_DISK, 2 ** Math.ceil(Math.log2(diskSizeGB ?? 1)));
  return price === undefined ? undefined : Math.round(size * price);
}

/** Replicas in all regions of a gallery's image. */
function replicas(inputs: Inputs): number {
  const { publishingProfile } = inputs as {
    publishingProfile?: { targetRegions?: { regionalReplicaCount?: number }[] };
  };
  const regions = publishingProfile?.targetRegions ?? [];
  return regions.reduce((sum, { regionalReplicaCount = 1 }) => sum + regionalReplicaCount, 0);
}

const tenths = (value: number) => Math.round(value * 10) / 10;

const PRICED: Readonly<Record<string, Pricing[]>> = {
  "azure-native:compute:VirtualMachine": [
    { what: machineWords, price: (inputs) => (isSpot(inputs) ? undefined : VM_PRICES[vmSize(inputs)]) },
    { what: () => "its OS disk", price: diskPrice },
  ],
  "azure-native:compute:Disk": [{ what: () => "data disk", price: dataDiskPrice }],
  "azure-native:compute:GalleryImageVersion": [
    { what: () => "the image in the gallery", price: (inputs) => tenths(replicas(inputs) * IMAGE_DATA) },
  ],
  "command:local:Command": [
    {
      what: () => "older images",
      price: (inputs) => tenths(Number(textIn(inputs, "environment", "KEEP") ?? 0) * IMAGE_DATA),
    },
  ],
  "azure-native:keyvault:Key": [{ what: () => "key in hardware", price: keyPrice }],
  "azure-native:network:NatGateway": [{ what: () => "NAT gateway, beside its price a GB", price: () => NAT_GATEWAY }],
  "azure-native:network:PrivateEndpoint": [
    { what: () => "private endpoints, beside their price a GB", price: () => PRIVATE_ENDPOINT },
  ],
  "azure-native:privatedns:PrivateZone": [{ what: () => "private DNS zones", price: () => PRIVATE_ZONE }],
  "azure-native:monitor:DiagnosticSetting": [
    { what: () => "logs in the workspace, about 3 USD a GB", price: () => undefined },
  ],
  "azure-native:network:PublicIPAddress": [{ what: () => "public IP address", price: () => PUBLIC_ADDRESS }],
};

function costsOf({ kind, old, next }: PlannedChange, { what, price }: Pricing): CostChange[] {
  const before = kind === "create" ? 0 : price(old);
  const after = kind === "delete" ? 0 : price(next);
  const shown = kind === "delete" ? what(old) : what(next);
  const moved = kind !== "create" && kind !== "delete" && what(old) !== what(next);
  if (before === after && !moved) return [];
  return [{ what: moved ? `${what(old)} → ${shown.replace(/^VM, /, "")}` : shown, before, after }];
}

/** What the change does to the bill; empty where it does nothing. Changes that cancel each other out are left out. */
export function costChanges(changes: readonly PlannedChange[]): CostChange[] {
  const costs = changes
    .filter(({ kind }) => kind !== "same")
    .flatMap((change) => (PRICED[change.type] ?? []).flatMap((pricing) => costsOf(change, pricing)));
  const sums = new Map<string, CostChange>();
  for (const cost of costs) {
    const known = sums.get(cost.what);
    const add = (a: number | undefined, b: number | undefined) =>
      a === undefined || b === undefined ? undefined : a + b;
    if (known === undefined) sums.set(cost.what, cost);
    else sums.set(cost.what, { ...known, before: add(known.before, cost.before), after: add(known.after, cost.after) });
  }
  return [...sums.values()].filter(({ before, after }) => before === undefined || before !== after);
}
