import { bech32 } from "@scure/base";
import { at, distinct, type Field, gather, list, mustBe, mustBeUnseen, optional, structure } from "../config/fields";
import { parseSshPublicKey } from "../config/ssh-public-key";

/** Who opens sealed files besides the Key Vault key: for recovery when the vault is gone, or for CI. */
export interface Recipients {
  /** `age1…` public keys, and `ssh-ed25519 …` or `ssh-rsa …` public keys without their comments. */
  readonly age: readonly string[];
  /** Fingerprints of PGP keys, 40 upper-case hexadecimal digits. */
  readonly pgp: readonly string[];
}

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
  if (bech32.decodeUnsafe(key) === undefined)
    throw mustBe(field, "an age public key whose checksum is right (a character is mistyped)");
  return key;
}

function parseFingerprint(field: Field): string {
  if (typeof field.value !== "string" || !/^[0-9a-f]{40}$/i.test(field.value)) {
    throw mustBe(field, "the 40 hexadecimal digits of a PGP key's fingerprint");
  }
  return field.value.toUpperCase();
}
