import { at, distinct, type Field, gather, list, mustBe, mustBeUnseen, optional, structure } from "../config/fields";
import { parseSshPublicKey } from "../config/ssh-public-key";

/** Who opens sealed files besides the Key Vault key: for recovery when the vault is gone, or for CI. */
export interface Recipients {
  /** `age1…` public keys, and `ssh-ed25519 …` or `ssh-rsa …` public keys without their comments. */
  readonly age: readonly string[];
  /** Fingerprints of PGP keys, 40 upper-case hexadecimal digits. */
  readonly pgp: readonly string[];
}

/** Bech32's alphabet. Source: https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki */
const LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** Reads configuration key `recipients`: `{age, pgp}`, both optional. */
export function parseRecipients(field: Field): Recipients {
  const recipients = structure(field, ["age", "pgp"]);
  const age = at(field.path, recipients, "age");
  const pgp = at(field.path, recipients, "pgp");
  return gather<Recipients>({
    age: () =>
      distinct(
        age,
        optional(age, [], (keys) => list(keys, "a list of public keys", parseAgeRecipient)),
      ),
    pgp: () =>
      distinct(
        pgp,
        optional(pgp, [], (keys) => list(keys, "a list of fingerprints", parseFingerprint)),
      ),
  });
}

function parseAgeRecipient(field: Field): string {
  const key = field.value;
  const allowed = "an age public key (age1 and 58 characters) or an SSH public key (ssh-ed25519 or ssh-rsa)";
  if (typeof key !== "string") throw mustBeUnseen(field, allowed);
  if (/secret-key|private key/i.test(key)) throw mustBeUnseen(field, "a public key, not a private one");
  if (key.startsWith("ssh-")) return parseSshPublicKey(field);
  if (!/^age1[a-z0-9]{58}$/.test(key)) throw mustBe(field, allowed);
  if (!isBech32(key)) throw mustBe(field, "an age public key whose checksum is right (a character is mistyped)");
  return key;
}

function parseFingerprint(field: Field): string {
  if (typeof field.value !== "string" || !/^[0-9a-f]{40}$/i.test(field.value)) {
    throw mustBe(field, "the 40 hexadecimal digits of a PGP key's fingerprint");
  }
  return field.value.toUpperCase();
}

/** Whether the last six characters are the checksum of the rest. */
function isBech32(text: string): boolean {
  const separator = text.lastIndexOf("1");
  const prefix = [...text.slice(0, separator)].map((letter) => letter.charCodeAt(0));
  const data = [...text.slice(separator + 1)].map((letter) => LETTERS.indexOf(letter));
  if (data.includes(-1)) return false;
  const values = [...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...data];
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of GENERATOR.entries()) checksum ^= (top >> bit) & 1 ? generator : 0;
  }
  return checksum === 1;
}
