import { createHash } from "node:crypto";
import type { AzureCloud } from "./clouds";

/** What a stack's resource group is called: each region has one, so that the new one is there before the old one goes. */
export function groupName(stack: string, location: string): string {
  return `sealed-onion-${stack}-${location}`;
}

/** Vault names: 3-24 letters, digits and single hyphens, unique among all of Azure. */
export function vaultName(stack: string, suffix: string): string {
  return `so-${stack.slice(0, 11).replace(/-$/, "")}-${suffix}`;
}

/** Storage account names: 3-24 lower-case letters and digits, unique among all of Azure. */
export function storageAccountName(stack: string, suffix: string): string {
  return `so${stack.replaceAll("-", "").slice(0, 12)}${suffix}`;
}

/**
 * Where a storage account's blobs are, without a slash at the end. It follows from the name: the account's own
 * `primaryEndpoints` are not known to a preview that changes the account, which would then show a new image.
 */
export function blobEndpoint(account: string, { storage }: AzureCloud): string {
  return `https://${account}.blob.${storage}`;
}

/**
 * The name of a role assignment or definition, which Azure wants to be a GUID: the same for the same parts, so that an
 * assignment that exists is found again, and another principal or scope makes another one. A version 5 UUID in form.
 */
export function guidOf(...parts: readonly string[]): string {
  const hash = createHash("sha256")
    .update(JSON.stringify(["sealed-onion", ...parts]))
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Built-in role "Storage Blob Data Contributor". */
export const BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

/** The id by which an assignment refers to a role; Azure spells it so whatever the role's own scope. */
export function roleDefinitionId(subscriptionId: string, role: string): string {
  return `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
}

/**
 * A gallery's version for a disk that was uploaded at that time (ISO 8601, UTC): three numbers that grow with it, e.g.
 * 2026.1122.43807 for 22 November 2026, 04:38:07.
 */
export function galleryVersion(completedAt: string): string {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/.exec(completedAt) ?? [];
  if (year === undefined) throw new Error(`the upload did not say when it was complete: got "${completedAt}"`);
  return [`${year}`, `${month}${day}`, `${hour}${minute}${second}`].map(Number).join(".");
}
