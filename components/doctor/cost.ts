import { readStackFile } from "../config/stack-file";
import { costChanges } from "../preview/costs";
import type { PlannedChange } from "../preview/plan";
import { wantedMachines } from "./quota-needs";

/** What each part of a stack costs a month, as its configuration says: list prices, US dollars; null: no price is known. */
export function costsOf(stack: string): { what: string; usd: number | null }[] {
  const { value } = readStackFile(stack);
  return costsWith((key) => value(`sealed-onion:${key}`));
}

/** The same of a configuration. @param own a value of `sealed-onion:KEY` */
export function costsWith(own: (key: string) => unknown): { what: string; usd: number | null }[] {
  const costs = costChanges(plannedOf(own));
  return costs.map(({ what, after }) => ({ what, usd: after ?? null }));
}

/** The same for people. */
export function costText(stack: string): string {
  const costs = costsOf(stack);
  const line = (what: string, price: number | null) =>
    `${price === null ? "?" : `${price} USD`}`.padStart(8).concat(`  ${what}`);
  const sum = costs.reduce((total, { usd }) => total + (usd ?? 0), 0);
  const unknown = costs.some(({ usd }) => usd === null) ? ", without what has no price here" : "";
  return [
    `stack ${stack}, a month, about (list prices of West Europe, without tax):`,
    ...costs.map(({ what, usd }) => line(what, usd)),
    line(`in all${unknown}; blobs, vault and traffic are cents`, sum),
  ].join("\n");
}

function plannedOf(own: (key: string) => unknown): PlannedChange[] {
  const create = (type: string, next: object): PlannedChange => ({
    ...{ name: type, type, component: "", kind: "create", old: {}, changed: [] },
    next: next as PlannedChange["next"],
  });
  const isEphemeral = own("ephemeralOsDisk") === true || own("ephemeralOsDisk") === "true";
  const { sizeGiB, type } = (own("osDisk") ?? {}) as { sizeGiB?: number; type?: string };
  const kept = { managedDisk: { storageAccountType: type }, diskSizeGB: sizeGiB };
  const osDisk = isEphemeral ? { diffDiskSettings: { option: "Local" } } : kept;
  const kty = own("keyProtection") === "hsm" ? "RSA-HSM" : "RSA";
  const { frontEnds, machines } = wantedMachines(own);
  const isPublic = own("outbound") !== "subnet";
  const machine = (vmSize: string, more: object) => [
    create("azure-native:compute:VirtualMachine", { hardwareProfile: { vmSize }, ...more }),
    ...(isPublic ? [create("azure-native:network:PublicIPAddress", {})] : []),
  ];
  return [
    ...machines.flatMap(({ size, spot }) =>
      machine(size, { ...(spot ? { priority: "Spot" } : {}), storageProfile: { osDisk } }),
    ),
    ...frontEnds.flatMap(({ size }) => machine(size, { storageProfile: { osDisk: {} } })),
    create("azure-native:keyvault:Key", { properties: { kty, keySize: Number(own("keySize") ?? 3072) } }),
    ...(own("outbound") === "natGateway" ? [create("azure-native:network:NatGateway", {})] : []),
    ...dialsOf(own, frontEnds.length > 0 ? 2 : 1).map(([type, next]) => create(`azure-native:${type}`, next)),
  ];
}

/** What dials add beside the machines. @param accounts one, and one more for the images of a front end */
function dialsOf(own: (key: string) => unknown, accounts: number): (readonly [type: string, inputs: object])[] {
  const object = (key: string) => (own(key) ?? {}) as Readonly<Record<string, unknown>>;
  const { sizeGib, type: kind = "StandardSSD_LRS" } = object("dataDisk");
  const { publish, targetRegions = [{}] } = object("image");
  const endpoints = `${object("network").privateEndpoints}` === "true" ? accounts + 1 : 0;
  const { workspace, ...existing } = object("existing");
  const logs = workspace === undefined ? 0 : accounts + 1;
  const ownZones = ["vaultZone", "blobZone"].filter((zone) => existing[zone] === undefined).length;
  const some = (count: number, type: string, inputs: object = {}) =>
    Array.from({ length: count }, () => [type, inputs] as const);
  const regions = (targetRegions as { replicas?: number }[]).map(({ replicas }) => ({
    regionalReplicaCount: replicas,
  }));
  return [
    ...some(sizeGib === undefined ? 0 : 1, "compute:Disk", { diskSizeGB: sizeGib, sku: { name: kind } }),
    ...some(publish === "gallery" ? accounts : 0, "compute:GalleryImageVersion", {
      publishingProfile: { targetRegions: regions },
    }),
    ...some(endpoints, "network:PrivateEndpoint"),
    ...some(endpoints > 0 ? ownZones : 0, "privatedns:PrivateZone"),
    ...some(logs, "monitor:DiagnosticSetting"),
  ];
}
