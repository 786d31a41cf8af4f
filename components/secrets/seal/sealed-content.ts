import type { Recipients } from "../recipients";
import { parseOnce } from "./json-once";

/** For whom to seal. The Key Vault key comes first everywhere: the VM tries recipients in order. */
export interface SealFor extends Recipients {
  /** The versioned key, `https://HOST/keys/NAME/VERSION`. */
  readonly keyUrl: string;
}

/** For whom a sealed file is sealed, as the file itself says. */
export interface SealedFor extends Recipients {
  /** Versioned Key Vault keys, `https://HOST/keys/NAME/VERSION`: one, unless somebody else added more. */
  readonly keyUrls: readonly string[];
  /** Kinds of keys that this program never seals for, as sops names them: `hc_vault`, `kms`, `key_groups`. */
  readonly others: readonly string[];
}

/** A sealed file taken apart. Nothing in it is secret. */
export interface SealedContent extends SealedFor {
  /** Length of the plaintext in bytes: AES-GCM makes it neither longer nor shorter. */
  readonly plaintextLength: number;
  /** The data key once for each recipient, as the file has it. */
  readonly wrappedKeys: readonly WrappedKey[];
}

export interface WrappedKey {
  /** A Key Vault key's URL, an age or SSH public key, a PGP fingerprint. */
  readonly recipient: string;
  /** Whether it has the form of what it must be; it may still be a wrong one. */
  readonly isWhole: boolean;
}

/** sops's own words about a file. Source: https://getsops.io/docs/#encryption-protocol */
interface SopsMetadata {
  readonly azure_kv?: readonly { vault_url: string; name: string; version: string; enc: unknown }[] | null;
  readonly age?: readonly { recipient: string; enc: unknown }[] | null;
  readonly pgp?: readonly { fp: string; enc: unknown }[] | null;
  readonly mac?: unknown;
}

/** Bytes that are no UTF-8 are an error, and so is a byte order mark. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** An encrypted text of sops: the data in base64, its nonce and its tag. */
const ENCRYPTED_TEXT =
  /^ENC\[AES256_GCM,data:([A-Za-z0-9+/]+={0,2}),iv:[A-Za-z0-9+/]+={0,2},tag:([A-Za-z0-9+/]{22}==),type:str\]$/;

/**
 * Takes a sealed file apart.
 * @returns undefined if the content is no sealed file (cut short, with a merge conflict inside, or something else)
 */
export function readSealedContent(content: Uint8Array): SealedContent | undefined {
  try {
    const { data, sops, ...others } = parseOnce(utf8.decode(content)) as { data: unknown; sops: SopsMetadata };
    const plaintextLength = encryptedLength(data);
    if (Object.keys(others).length > 0) return undefined; // sops writes no more, and it may be anything
    if (plaintextLength === undefined || encryptedLength(sops.mac) === undefined) return undefined;
    const wrapped = wrappedKeys(sops);
    const recipients = (kind: readonly WrappedKey[]) => kind.map(({ recipient }) => recipient);
    return {
      plaintextLength,
      keyUrls: recipients(wrapped.vault),
      age: recipients(wrapped.age),
      pgp: recipients(wrapped.pgp),
      others: otherKinds(sops),
      wrappedKeys: [...wrapped.vault, ...wrapped.age, ...wrapped.pgp],
    };
  } catch {
    return undefined; // the caller, who knows which file it is, says what is wrong with it
  }
}

/** Whether a file is sealed for exactly these, and for no other kind of key. */
export function isSealedForExactly(was: SealedFor, { keyUrl, age, pgp }: SealFor): boolean {
  const isSame = isSameSet(was.keyUrls, [keyUrl]) && isSameSet(was.age, age) && isSameSet(was.pgp, pgp);
  return isSame && was.others.length === 0;
}

/** The same sealed file for its Key Vault keys alone: it opens only if the vault can open it. */
export function forVaultOnly(content: Uint8Array): Buffer {
  const { data, sops } = JSON.parse(Buffer.from(content).toString("utf8")) as { data: unknown; sops: SopsMetadata };
  const { age: _, pgp: __, ...vaultOnly } = sops ?? {};
  return Buffer.from(JSON.stringify({ data, sops: vaultOnly }));
}

/** @returns the length of the plaintext in bytes; undefined for anything that is no encrypted text of some length */
function encryptedLength(text: unknown): number | undefined {
  const [, data] = (typeof text === "string" && ENCRYPTED_TEXT.exec(text)) || [];
  return data === undefined ? undefined : Buffer.from(data, "base64").length;
}

function wrappedKeys(sops: SopsMetadata): Record<"vault" | "age" | "pgp", WrappedKey[]> {
  return {
    vault: (sops.azure_kv ?? []).map((key) => ({
      recipient: `${key.vault_url}/keys/${key.name}/${key.version}`,
      isWhole: isRsaCiphertext(key.enc),
    })),
    age: (sops.age ?? []).map(({ recipient, enc }) => ({ recipient, isWhole: isArmored(enc, "AGE ENCRYPTED FILE") })),
    pgp: (sops.pgp ?? []).map(({ fp, enc }) => ({ recipient: fp, isWhole: isArmored(enc, "PGP MESSAGE") })),
  };
}

/** What RSA encrypts is as long as the key, and Key Vault has none of less than 2,048 bits. */
function isRsaCiphertext(enc: unknown): boolean {
  return typeof enc === "string" && /^[A-Za-z0-9_-]+$/.test(enc) && Buffer.from(enc, "base64url").length >= 256;
}

function isArmored(enc: unknown, what: string): boolean {
  if (typeof enc !== "string" || enc.length < 200) return false;
  return enc.startsWith(`-----BEGIN ${what}-----\n`) && enc.trimEnd().endsWith(`\n-----END ${what}-----`);
}

/** Every list in the metadata is one of wrapped keys, also those of kinds that a later sops may bring. */
function otherKinds(sops: SopsMetadata): string[] {
  const known = ["azure_kv", "age", "pgp"];
  const lists = Object.entries(sops).filter(([, value]) => typeof value === "object" && value !== null);
  return lists
    .filter(([kind, list]) => !known.includes(kind) && Object.keys(list as object).length > 0)
    .map(([kind]) => kind);
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.every((value) => other.includes(value)) && other.every((value) => one.includes(value));
}
