import type { Malformed } from "./working";

const SET =
  "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/keys/providers/Microsoft.Compute/disks/none";

/** Dials of what a machine runs on that are refused. */
export const HARDWARE: readonly Malformed[] = [
  [
    "a VM size on Arm, with a managed image",
    { vmSize: "Standard_D2ps_v5" },
    'image.publish must be gallery for vmSize Standard_D2ps_v5, which has an Arm processor, got "managed": set sealed-onion:image.publish to gallery',
  ],
  [
    "a VM size with NVMe disks, with a managed image",
    { vmSize: "Standard_D2s_v6" },
    'image.publish must be gallery for vmSize Standard_D2s_v6, whose disks are by NVMe, got "managed": set sealed-onion:image.publish to gallery',
  ],
  [
    "Trusted Launch, with a managed image",
    { security: { trustedLaunch: true } },
    'image.publish must be gallery for security.trustedLaunch, got "managed": set sealed-onion:image.publish to gallery',
  ],
  [
    "a mistyped protection",
    { security: { encriptionAtHost: true } },
    'security has an unknown key "encriptionAtHost", allowed are encryptionAtHost, trustedLaunch: did you mean "encryptionAtHost"',
  ],
  [
    "a protection as a word",
    { security: { encryptionAtHost: "yes" } },
    'security.encryptionAtHost must be true or false, got "yes": set sealed-onion:security.encryptionAtHost',
  ],
  [
    "an OS disk as a text",
    { osDisk: "Premium_LRS" },
    "osDisk must be an object, got a text of 11 characters: set sealed-onion:osDisk",
  ],
  [
    "an OS disk of an unknown type",
    { osDisk: { type: "UltraSSD_LRS" } },
    'osDisk.type must be Standard_LRS, StandardSSD_LRS, Premium_LRS, StandardSSD_ZRS or Premium_ZRS, got "UltraSSD_LRS": set sealed-onion:osDisk.type',
  ],
  [
    "an OS disk that the image does not fit on",
    { osDisk: { sizeGiB: 2 } },
    "osDisk.sizeGiB must be a whole number from 5 to 4095, got 2: set sealed-onion:osDisk.sizeGiB",
  ],
  [
    "a placement of a disk that is kept",
    { osDisk: { placement: "CacheDisk" } },
    "osDisk.placement is for ephemeral OS disks: set sealed-onion:ephemeralOsDisk to true",
  ],
  [
    "a placement that the size does not have",
    { ephemeralOsDisk: true, vmSize: "Standard_D2ds_v5", osDisk: { placement: "NvmeDisk" } },
    'osDisk.placement must be CacheDisk or ResourceDisk on Standard_D2ds_v5, got "NvmeDisk": set sealed-onion:osDisk.placement',
  ],
  [
    "a type of a disk that goes with its host",
    { ephemeralOsDisk: true, vmSize: "Standard_D2ds_v5", osDisk: { type: "Premium_LRS" } },
    "osDisk.type is of disks that are kept, got ephemeralOsDisk true: remove one of them",
  ],
  [
    "an encryption set that is none",
    { osDisk: { encryptionSet: SET } },
    `osDisk.encryptionSet must be the id of a disk encryption set (az disk-encryption-set list --query [].id), got "${SET.slice(0, 60)}…": set sealed-onion:osDisk.encryptionSet`,
  ],
  [
    "a zone alone",
    { zones: 1 },
    "zones must be a list of zones, such as [1, 2, 3], got a number: set sealed-onion:zones",
  ],
  ["a fourth zone", { zones: [4] }, "zones[0] must be 1, 2 or 3, got 4: set sealed-onion:zones[0]"],
  ["a zone twice", { zones: [1, 1] }, "zones holds 1 twice: remove one of them from sealed-onion:zones"],
  [
    "a burstable size at spot prices",
    { spot: true },
    "spot is true, and Standard_B2s is burstable, which Azure does not offer at spot prices: set sealed-onion:vmSize, such as Standard_D2as_v5",
  ],
  ["spot as a price", { spot: "0.01" }, 'spot must be true or false, got "0.01": set sealed-onion:spot'],
];
