import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { normalizeId } from "../resource-manager/resource-store";

export type KeyOperation = "encrypt" | "decrypt" | "sign" | "verify" | "wrapKey" | "unwrapKey";
export type KeyType = "RSA" | "RSA-HSM";

/** What may change in a key version after it was made. */
export interface KeyAttributes {
  enabled: boolean;
  keyOps: KeyOperation[];
  /** Seconds since 1970. */
  notBefore?: number;
  /** Seconds since 1970. */
  expires?: number;
}

/** One version of a Key Vault key, with its private half: this is the hardware module's inside, never an answer. */
export interface KeyVersion extends KeyAttributes {
  vaultId: string;
  name: string;
  /** 32 hex digits. */
  version: string;
  kty: KeyType;
  /** Bits. */
  keySize: number;
  /** Seconds since 1970. */
  created: number;
  updated: number;
  privateKey: KeyObject;
  /** Public exponent and modulus, base64url: what `GET key` answers. */
  e: string;
  n: string;
}

export interface KeyRequest extends Partial<KeyAttributes> {
  /** Bits: 2048, 3072 or 4096. @default 2048, as Azure */
  keySize?: number;
  /** @default RSA */
  kty?: KeyType;
  /** PKCS#8 PEM of an existing RSA key, in place of generating one. */
  privateKeyPem?: string;
  /** 32 hex digits. @default random */
  version?: string;
}

/** A key that was deleted and can still be recovered. */
export interface DeletedKey {
  name: string;
  /** Milliseconds since 1970. */
  deletedAt: number;
  versions: KeyVersion[];
}

/** The keys of all vaults. A vault is named by its resource id. */
export interface KeyStore {
  /** Makes the key, or a further version of it (a rotation); throws while a deleted key of that name is kept. */
  create(vaultId: string, name: string, request?: KeyRequest): Promise<KeyVersion>;
  /** Newest last; empty where there is no such key. */
  versions(vaultId: string, name: string): KeyVersion[];
  latest(vaultId: string, name: string): KeyVersion | undefined;
  version(vaultId: string, name: string, version: string): KeyVersion | undefined;
  names(vaultId: string): string[];
  /** Changes attributes of one version, answers it; undefined where there is none. */
  update(vaultId: string, name: string, version: string, change: Partial<KeyAttributes>): KeyVersion | undefined;
  /** Soft delete, all versions. */
  remove(vaultId: string, name: string): DeletedKey | undefined;
  deleted(vaultId: string): DeletedKey[];
  recover(vaultId: string, name: string): boolean;
  purge(vaultId: string, name: string): boolean;
  /** Forgets all keys of a purged vault, deleted ones too. */
  purgeVault(vaultId: string): void;
}

const ALL_OPERATIONS: KeyOperation[] = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
const SIZES = [2048, 3072, 4096];

async function privateKeyOf(request: KeyRequest, generate: GenerateKey): Promise<KeyObject> {
  if (request.privateKeyPem !== undefined) return createPrivateKey(request.privateKeyPem);
  const keySize = request.keySize ?? 2048;
  if (!SIZES.includes(keySize)) throw new Error(`key size must be ${SIZES.join(", ")}, got ${keySize}`);
  return generate(keySize);
}

async function makeVersion(
  vaultId: string,
  name: string,
  request: KeyRequest,
  { now, generateKey }: KeyStoreOptions,
): Promise<KeyVersion> {
  const privateKey = await privateKeyOf(request, generateKey);
  const { e, n } = createPublicKey(privateKey).export({ format: "jwk" });
  const keySize = privateKey.asymmetricKeyDetails?.modulusLength;
  if (e === undefined || n === undefined || keySize === undefined) throw new Error(`key ${name} is not an RSA key`);
  const seconds = Math.floor(now() / 1000);
  return {
    vaultId,
    name,
    version: request.version ?? randomBytes(16).toString("hex"),
    kty: request.kty ?? "RSA",
    keySize,
    enabled: request.enabled ?? true,
    keyOps: [...(request.keyOps ?? ALL_OPERATIONS)],
    ...(request.notBefore !== undefined && { notBefore: request.notBefore }),
    ...(request.expires !== undefined && { expires: request.expires }),
    created: seconds,
    updated: seconds,
    privateKey,
    e,
    n,
  };
}

export interface KeyStoreOptions {
  /** The clock, milliseconds. */
  readonly now: () => number;
  /** Makes an RSA key of so many bits. */
  readonly generateKey: GenerateKey;
}

export type GenerateKey = (bits: number) => Promise<KeyObject>;

export function createKeyStore(options: KeyStoreOptions): KeyStore {
  const { now } = options;
  const live = new Map<string, KeyVersion[]>();
  const gone = new Map<string, DeletedKey>();
  const slot = (vaultId: string, name: string) => `${normalizeId(vaultId)}/keys/${name.toLowerCase()}`;
  const inVault = (key: string, vaultId: string) => key.startsWith(`${normalizeId(vaultId)}/keys/`);
  const versions = (vaultId: string, name: string) => live.get(slot(vaultId, name)) ?? [];

  return {
    versions: (vaultId, name) => [...versions(vaultId, name)],
    latest: (vaultId, name) => versions(vaultId, name).at(-1),
    version: (vaultId, name, version) => versions(vaultId, name).find((known) => known.version === version),
    names(vaultId) {
      const keys = [...live].filter(([key]) => inVault(key, vaultId));
      return keys.flatMap(([, known]) => known.slice(0, 1).map((first) => first.name));
    },
    async create(vaultId, name, request = {}) {
      const made = await makeVersion(vaultId, name, request, options);
      if (gone.has(slot(vaultId, name))) throw new Error(`key ${name} is deleted but recoverable: recover or purge it`);
      live.set(slot(vaultId, name), [...versions(vaultId, name), made]);
      return made;
    },
    update(vaultId, name, version, change) {
      const known = versions(vaultId, name).find((candidate) => candidate.version === version);
      if (known) Object.assign(known, change, { updated: Math.floor(now() / 1000) });
      return known;
    },
    remove(vaultId, name) {
      const key = slot(vaultId, name);
      const first = versions(vaultId, name)[0];
      if (first === undefined) return undefined;
      const deleted = { name: first.name, deletedAt: now(), versions: versions(vaultId, name) };
      live.delete(key);
      gone.set(key, deleted);
      return deleted;
    },
    deleted: (vaultId) => [...gone].filter(([key]) => inVault(key, vaultId)).map(([, deleted]) => deleted),
    recover(vaultId, name) {
      const deleted = gone.get(slot(vaultId, name));
      if (deleted) live.set(slot(vaultId, name), deleted.versions);
      return gone.delete(slot(vaultId, name));
    },
    purge: (vaultId, name) => gone.delete(slot(vaultId, name)),
    purgeVault(vaultId) {
      for (const key of [...live.keys()]) if (inVault(key, vaultId)) live.delete(key);
      for (const key of [...gone.keys()]) if (inVault(key, vaultId)) gone.delete(key);
    },
  };
}
