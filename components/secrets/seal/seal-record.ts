import { createHash } from "node:crypto";
import * as path from "node:path";
import { stackFolder } from "../../config/stack-folder";
import { readIfThere } from "../../process/read-if-there";
import type { Recipients } from "../recipients";
import type { SecretSource } from "../sources/sources";

/**
 * What is remembered of a secret's last seal, in `nix/stacks/STACK/NAME.seal.json` beside the sealed file. Nothing in
 * it is secret.
 */
export interface SealRecord {
  readonly version: 1;
  readonly source: SecretSource;
  readonly generation: number;
  /** See `fingerprint`. */
  readonly fingerprint: string;
  /** The versioned Key Vault key, `https://HOST/keys/NAME/VERSION`. */
  readonly keyUrl: string;
  readonly recipients: Recipients;
  /** SHA-256 of the sealed file, hexadecimal: a record of any other digest does not belong to it. */
  readonly digest: string;
  /** ISO 8601, UTC. */
  readonly sealedAt: string;
  /** Of an onion key: its address. */
  readonly onion?: { readonly hostname: string };
  /** Of another generated key: its public part. */
  readonly publicKey?: string;
  /** Set if `npm run secrets` sealed it: the fingerprint may then be that of an older plaintext. */
  readonly byHand?: true;
}

/** What stands on disk for a sealed secret. */
export interface SealedOnDisk {
  /** SHA-256 of the sealed file, hexadecimal. */
  readonly digest: string;
  /** Of an onion key. */
  readonly hostname?: string;
  /** Of another generated key. */
  readonly publicKey?: string;
}

/** The path of a secret's sealed file, relative to the project's folder. */
export function sealedPath(stack: string, name: string): string {
  return path.join(stackFolder(stack), `${name}.sops.json`);
}

/** The path of the record of a secret's last seal, relative to the project's folder. */
export function recordPath(stack: string, name: string): string {
  return path.join(stackFolder(stack), `${name}.seal.json`);
}

/**
 * What stands on disk for a secret, whatever Pulumi's state says: after a `git checkout` of an older commit it is the
 * older secret.
 * @returns undefined if it was never sealed
 * @throws if the sealed file is gone or was changed without its record
 */
export function readSealed(stack: string, name: string): SealedOnDisk | undefined {
  const record = readRecord(recordPath(stack, name));
  const sealed = readIfThere(sealedPath(stack, name));
  if (record === undefined && sealed === undefined) return undefined;
  if (sealed === undefined) throw new Error(missingSealedFile(stack, name));
  if (record?.digest !== digestOf(sealed)) {
    const file = sealedPath(stack, name);
    throw new Error(`${file} does not belong to its record: npm run secrets -- adopt ${name} --stack ${stack}`);
  }
  return { digest: record.digest, ...outputOf(record) };
}

/** What the key in a sealed file is known by; undefined for what is no key. */
export function publicPartOf({ onion, publicKey }: Partial<SealRecord>): string | undefined {
  return onion?.hostname ?? publicKey;
}

/** The same as the resource's outputs have it. */
export function outputOf({ onion, publicKey }: Partial<SealRecord>): Pick<SealedOnDisk, "hostname" | "publicKey"> {
  return { ...(onion && { hostname: onion.hostname }), ...(publicKey && { publicKey }) };
}

/** The record of a secret's last seal, also under the name that it had before. @throws if it is no record */
export function lastRecord(stack: string, name: string, from?: string): SealRecord | undefined {
  return readRecord(recordPath(stack, name)) ?? (from ? readRecord(recordPath(stack, from)) : undefined);
}

/** What to do about a sealed file that must be there. */
export function missingSealedFile(stack: string, name: string): string {
  const file = sealedPath(stack, name);
  return `sealed file ${file} is missing: restore it with git checkout -- ${stackFolder(stack)}/${name}.*`;
}

/** What to do about a sealed file that is no sealed file any more. */
export function damagedSealedFile(stack: string, name: string): string {
  const file = sealedPath(stack, name);
  return `sealed file ${file} is damaged: restore it with git checkout -- ${file}`;
}

/** @returns undefined if there is none @throws if it is there and is no record */
export function readRecord(file: string): SealRecord | undefined {
  const content = readIfThere(file);
  if (content === undefined) return undefined;
  const record = parseRecord(content);
  if (record === undefined) throw new Error(`${file} is no record of a sealed secret: git checkout -- ${file}`);
  return record;
}

/** @returns undefined for anything that is no whole record of this version */
export function parseRecord(content: Uint8Array): SealRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(content).toString("utf8")) as Partial<SealRecord>;
    const texts = [record.fingerprint, record.keyUrl, record.digest, record.sealedAt];
    const isWhole =
      record.version === 1 &&
      typeof record.source === "object" &&
      typeof record.generation === "number" &&
      Array.isArray(record.recipients?.age) &&
      Array.isArray(record.recipients.pgp) &&
      texts.every((text) => typeof text === "string");
    return isWhole ? (record as SealRecord) : undefined;
  } catch {
    return undefined; // a file that was cut short, or holds a merge conflict
  }
}

/** The text of a record: one value a line, so that its diff reads well. */
export function recordText(record: SealRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** SHA-256, hexadecimal. */
export function digestOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
