import { randomUUID } from "node:crypto";
import { CLOUD_NAMES, type CloudName, type CloudNames } from "./cloud-names";
import { createDirectory, type Directory } from "./entra/directory";
import { generateRsaKey } from "./entra/rsa-key";
import { createKeyStore, type GenerateKey, type KeyStore } from "./key-vault/key-store";
import { type CloudResource, createResourceStore, type ResourceStore } from "./resource-manager/resource-store";

export type { Application, Principal } from "./entra/directory";
export type { KeyAttributes, KeyOperation, KeyVersion } from "./key-vault/key-store";
export type { CloudResource } from "./resource-manager/resource-store";
export { isUnder, normalizeId } from "./resource-manager/resource-store";

/** Reads blobs as Azure's own control plane does (an image made of a blob): no token, no role. */
export interface BlobReader {
  /** Undefined where there is no such account, container or blob. */
  properties(blobUrl: string): Promise<BlobProperties | undefined>;
  /** `count` bytes from `offset`. */
  read(blobUrl: string, offset: number, count: number): Promise<Buffer>;
  /** Of a page blob what was written, in order; all else is zeros. Bytes. */
  written(blobUrl: string): Promise<{ offset: number; count: number }[]>;
}

export interface BlobProperties {
  type: "PageBlob" | "BlockBlob" | "AppendBlob";
  /** Bytes. */
  size: number;
  metadata: Record<string, string>;
  /** Whether somebody holds the lease. */
  isLeased: boolean;
}

/** A vault in soft delete: it keeps its name until it is purged or its days are over. */
export interface DeletedVault {
  resource: CloudResource;
  /** Milliseconds since 1970. */
  deletedAt: number;
  scheduledPurgeAt: number;
  purgeProtected: boolean;
}

/** How long writes take until data planes act on them, in milliseconds; may be changed at any time. */
export interface Propagation {
  /** A vault's access policies. */
  accessPoliciesMs: number;
  /** Role assignments and role definitions. */
  rolesMs: number;
}

/**
 * Azure's state behind the loopback Azure: the simulated provider writes it, the data planes read it.
 *
 * `remove` takes everything below along (a resource group's content, a vault's keys). A vault goes to `deletedVaults`
 * unless it was made with `enableSoftDelete: false`; its keys then wait with it. Blobs go with their account or container.
 */
export interface Cloud extends ResourceStore {
  readonly tenantId: string;
  readonly subscriptionId: string;
  /** Which of Azure's clouds it is. */
  readonly names: CloudNames;
  readonly keys: KeyStore;
  readonly directory: Directory;
  readonly propagation: Propagation;
  /** Limits by Azure's names of quotas, such as `cores` and `standardBSFamily`; the others are large. May be changed. */
  readonly quotas: Map<string, number>;
  /** Where the workstation's requests come from: firewalls see this. May be changed at any time. */
  readonly workstation: { address: string; subnetId: string | undefined };
  /** Throws until a blob service is attached. */
  readonly blobs: BlobReader;
  attachBlobs(reader: BlobReader): void;
  /** The clock, milliseconds since 1970. */
  now(): number;
  /** A live vault by name (global, without case). */
  vault(name: string): CloudResource | undefined;
  storageAccount(name: string): CloudResource | undefined;
  deletedVaults(): DeletedVault[];
  /** Brings a soft-deleted vault back with its keys and without changing its policies. */
  recoverVault(name: string): CloudResource | undefined;
  /** Throws where the vault has purge protection. */
  purgeVault(name: string): boolean;
}

export interface CloudOptions {
  tenantId?: string;
  subscriptionId?: string;
  /** Which of Azure's clouds it is. @default public */
  cloud?: CloudName;
  propagation?: Partial<Propagation>;
  /** The workstation's public IPv4 address. @default one that is kept for documentation */
  workstationAddress?: string;
  /** The clock, milliseconds since 1970. @default Date.now */
  now?: () => number;
  /** Makes the RSA keys of vaults. @default a new one each time, see `sameKeys` */
  generateKey?: GenerateKey;
}

const VAULT = "Microsoft.KeyVault/vaults";
const ACCOUNT = "Microsoft.Storage/storageAccounts";
const DAY_MS = 86_400_000;

function isType(resource: CloudResource, type: string): boolean {
  return resource.type.toLowerCase() === type.toLowerCase();
}

function softDeleted(resource: CloudResource, now: number): DeletedVault {
  const days = resource.properties.softDeleteRetentionInDays;
  return {
    resource,
    deletedAt: now,
    scheduledPurgeAt: now + (typeof days === "number" ? days : 90) * DAY_MS,
    purgeProtected: resource.properties.enablePurgeProtection === true,
  };
}

function delays(propagation: Propagation): (type: string) => number {
  return (type) => {
    if (type.toLowerCase() === VAULT.toLowerCase()) return propagation.accessPoliciesMs;
    return type.toLowerCase().startsWith("microsoft.authorization/") ? propagation.rolesMs : 0;
  };
}

/** The part of the store that keeps deleted vaults. */
function vaultBin(resources: ResourceStore, keys: KeyStore, now: () => number) {
  const bin = new Map<string, DeletedVault>();
  function forget(name: string, vault: DeletedVault): void {
    bin.delete(name);
    keys.purgeVault(vault.resource.id);
  }
  function dropOverdue(): void {
    for (const [name, vault] of bin) if (vault.scheduledPurgeAt <= now()) forget(name, vault);
  }
  return {
    add(resource: CloudResource): void {
      if (resource.properties.enableSoftDelete === false) keys.purgeVault(resource.id);
      else bin.set(resource.name.toLowerCase(), softDeleted(resource, now()));
    },
    list(): DeletedVault[] {
      dropOverdue();
      return [...bin.values()];
    },
    recover(name: string): CloudResource | undefined {
      dropOverdue();
      const vault = bin.get(name.toLowerCase());
      bin.delete(name.toLowerCase());
      return vault && resources.put(vault.resource);
    },
    purge(name: string): boolean {
      dropOverdue();
      const vault = bin.get(name.toLowerCase());
      if (vault?.purgeProtected)
        throw new Error(`vault ${name} has purge protection: it is kept until its days are over`);
      if (vault) forget(name.toLowerCase(), vault);
      return vault !== undefined;
    },
  };
}

/** An empty subscription. */
export function createCloud(options: CloudOptions = {}): Cloud {
  const now = options.now ?? Date.now;
  const tenantId = options.tenantId ?? randomUUID();
  const propagation = { accessPoliciesMs: 0, rolesMs: 0, ...options.propagation };
  const resources = createResourceStore(now, delays(propagation));
  const keys = createKeyStore({ now, generateKey: options.generateKey ?? generateRsaKey });
  const bin = vaultBin(resources, keys, now);
  let blobs: BlobReader | undefined;

  function named(type: string, name: string): CloudResource | undefined {
    return resources.list({ type }).find((resource) => resource.name.toLowerCase() === name.toLowerCase());
  }

  return {
    ...resources,
    tenantId,
    subscriptionId: options.subscriptionId ?? randomUUID(),
    names: CLOUD_NAMES[options.cloud ?? "public"],
    keys,
    directory: createDirectory(tenantId, resources),
    propagation,
    quotas: new Map(),
    workstation: { address: options.workstationAddress ?? "198.51.100.7", subnetId: undefined },
    now,
    get blobs() {
      if (blobs === undefined) throw new Error("no blob service is attached to this cloud: start it with startAzure");
      return blobs;
    },
    attachBlobs(reader) {
      blobs = reader;
    },
    remove(id, removal) {
      const removed = resources.remove(id, removal);
      for (const resource of removed) if (isType(resource, VAULT)) bin.add(resource);
      return removed;
    },
    vault: (name) => named(VAULT, name),
    storageAccount: (name) => named(ACCOUNT, name),
    deletedVaults: bin.list,
    recoverVault: bin.recover,
    purgeVault: bin.purge,
  };
}
