import type { Recipients } from "./recipients";
import { outputOf, type SealRecord } from "./seal/seal-record";

/** What the sealed file is to be sealed of and for. */
export interface SealWish {
  readonly fingerprint: string;
  readonly keyUrl: string;
  readonly recipients: Recipients;
}

/** What is known of a sealed file before its command has run. */
export interface ExpectedSeal {
  /** The file stays as it is: its digest. */
  readonly digest?: string;
  /** The onion key stays the same, whatever it is sealed for: its address. */
  readonly hostname?: string;
  /** The same of another generated key: its public part. */
  readonly publicKey?: string;
}

/**
 * What a preview can tell although the command is to run: with the same plaintext in it, a file keeps its address, and
 * sealed for the same people it stays byte for byte as it is.
 * @param record of the last seal, under the secret's present or former name
 */
export function expectedSeal(record: SealRecord | undefined, wish: SealWish): ExpectedSeal {
  if (record === undefined || record.byHand || record.fingerprint !== wish.fingerprint) return {};
  return isRecordedFor(record, wish) ? { digest: record.digest, ...outputOf(record) } : outputOf(record);
}

function isRecordedFor({ keyUrl, recipients }: SealRecord, wish: SealWish): boolean {
  const { age, pgp } = wish.recipients;
  return keyUrl === wish.keyUrl && isSame(recipients.age, age) && isSame(recipients.pgp, pgp);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}
