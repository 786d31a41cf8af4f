import { describe, expect, it } from "vitest";
import { type CostChange, costChanges } from "../../../components/preview/costs";
import type { PlannedChange } from "../../../components/preview/plan";

type Inputs = Record<string, unknown>;
const change = (kind: PlannedChange["kind"], type: string, old: Inputs, next: Inputs): PlannedChange => ({
  ...{ kind, type, old, next },
  ...{ name: "one", component: "", changed: [] },
});
const azure = (type: string) => `azure-native:${type}`;
const made = (type: string, next: Inputs = {}) => change("create", azure(type), {}, next);
const gone = (type: string, old: Inputs = {}) => change("delete", azure(type), old, {});

const VM = "compute:VirtualMachine";
const size = (vmSize: string, more: Inputs = {}) => ({ hardwareProfile: { vmSize }, ...more });
const onDisk = (osDisk: Inputs) => size("Standard_D2as_v5", { storageProfile: { osDisk } });
const key = (kty: string, keySize: number) => ({ properties: { kty, keySize } });
const replicas = (...counts: number[]) => ({
  publishingProfile: { targetRegions: counts.map((regionalReplicaCount) => ({ regionalReplicaCount })) },
});
const keeping = (KEEP: string) => ({ environment: { KEEP } });

/** Each dial that costs: what is planned for it, and what a reviewer reads. */
const DIALS: readonly (readonly [dial: string, planned: readonly PlannedChange[], said: readonly CostChange[]])[] = [
  [
    "vmSize",
    [change("update", azure(VM), size("Standard_B2s"), size("Standard_B2ms"))],
    [{ what: "VM, Standard_B2s → Standard_B2ms", before: 35, after: 70 }],
  ],
  [
    "vmSize, one that is not in the table",
    [change("update", azure(VM), size("Standard_B2s"), size("Standard_M128"))],
    [{ what: "VM, Standard_B2s → Standard_M128", before: 35, after: undefined }],
  ],
  [
    "spot",
    [change("replace", azure(VM), size("Standard_D2as_v5"), size("Standard_D2as_v5", { priority: "Spot" }))],
    [{ what: "VM, Standard_D2as_v5 → Standard_D2as_v5 at spot price", before: 76, after: undefined }],
  ],
  [
    "osDisk.type",
    [change("replace", azure(VM), onDisk({}), onDisk({ managedDisk: { storageAccountType: "Premium_LRS" } }))],
    [{ what: "its OS disk", before: 2, after: 5 }],
  ],
  [
    "osDisk.sizeGiB, in the steps of Azure's books",
    [change("update", azure(VM), onDisk({}), onDisk({ diskSizeGB: 100 }))],
    [{ what: "its OS disk", before: 2, after: 10 }],
  ],
  [
    "ephemeralOsDisk",
    [change("replace", azure(VM), onDisk({}), onDisk({ diffDiskSettings: { option: "Local" } }))],
    [{ what: "its OS disk", before: 2, after: 0 }],
  ],
  [
    "dataDisk, larger",
    [
      change(
        "update",
        azure("compute:Disk"),
        { diskSizeGB: 64, sku: { name: "StandardSSD_LRS" } },
        { diskSizeGB: 128, sku: { name: "StandardSSD_LRS" } },
      ),
    ],
    [{ what: "data disk", before: 5, after: 10 }],
  ],
  [
    "outbound: natGateway, whose address is the one there was",
    [made("network:NatGateway")],
    [{ what: "NAT gateway, beside its price a GB", before: 0, after: 33 }],
  ],
  ["outbound: subnet", [gone("network:PublicIPAddress")], [{ what: "public IP address", before: 4, after: 0 }]],
  [
    "network.privateEndpoints",
    [
      ...[made("network:PrivateEndpoint"), made("network:PrivateEndpoint")],
      ...[made("privatedns:PrivateZone"), made("privatedns:PrivateZone")],
    ],
    [
      { what: "private endpoints, beside their price a GB", before: 0, after: 14 },
      { what: "private DNS zones", before: 0, after: 1 },
    ],
  ],
  [
    "existing.vaultZone and existing.blobZone",
    [gone("privatedns:PrivateZone"), gone("privatedns:PrivateZone")],
    [{ what: "private DNS zones", before: 1, after: 0 }],
  ],
  [
    "existing.workspace",
    [made("monitor:DiagnosticSetting"), made("monitor:DiagnosticSetting")],
    [{ what: "logs in the workspace, about 3 USD a GB", before: 0, after: undefined }],
  ],
  [
    "keyProtection: hsm, of a small key",
    [change("replace", azure("keyvault:Key"), key("RSA", 2048), key("RSA-HSM", 2048))],
    [{ what: "key in hardware", before: 0, after: 1 }],
  ],
  [
    "keyProtection: hsm",
    [change("replace", azure("keyvault:Key"), key("RSA", 3072), key("RSA-HSM", 3072))],
    [{ what: "key in hardware", before: 0, after: 5 }],
  ],
  [
    "image.targetRegions",
    [change("update", azure("compute:GalleryImageVersion"), replicas(1), replicas(3, 1))],
    [{ what: "the image in the gallery", before: 0.1, after: 0.4 }],
  ],
  [
    "image.keep",
    [change("update", "command:local:Command", keeping("2"), keeping("12"))],
    [{ what: "older images", before: 0.2, after: 1.2 }],
  ],
  [
    "replicas: 3",
    [
      ...[1, 2, 3].flatMap(() => [made(VM, size("Standard_B2s")), made("network:PublicIPAddress")]),
      ...[made(VM, size("Standard_B1s")), made("network:PublicIPAddress"), gone(VM, size("Standard_B2s"))],
      gone("network:PublicIPAddress"),
    ],
    [
      { what: "VM, Standard_B2s", before: 35, after: 105 },
      { what: "its OS disk", before: 2, after: 8 },
      { what: "public IP address", before: 4, after: 16 },
      { what: "VM, Standard_B1s", before: 0, after: 9 },
    ],
  ],
  [
    "frontEnd.vmSize",
    [change("replace", azure(VM), size("Standard_B1s"), size("Standard_B2s"))],
    [{ what: "VM, Standard_B1s → Standard_B2s", before: 9, after: 35 }],
  ],
  ["what changes nothing", [change("replace", azure(VM), size("Standard_B2s"), size("Standard_B2s"))], []],
  ["what stays", [change("same", azure(VM), size("Standard_B2s"), size("Standard_B2ms"))], []],
];

describe("the comment's costs of each dial", () => {
  it.each(DIALS)("%s", (_, planned, said) => {
    const byName = (one: CostChange, other: CostChange) => one.what.localeCompare(other.what);
    expect(costChanges(planned).sort(byName)).toEqual([...said].sort(byName));
  });
});
