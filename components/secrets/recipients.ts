import { bech32 } from "@scure/base";
import {
  at,
  distinct,
  type Field,
  gather,
  list,
  mustBe,
  mustBeUnseen,
  NAMESPACE,
  optional,
  structure,
} from "../config/fields";
import { parseSshPublicKey } from "../config/ssh-public-key";

/** Who opens sealed files besides the Key Vault key: for recovery when the vault is gone, or for CI. */
export interface Recipients {
  /** `age1…` public keys, those of plugins and post-quantum ones among them, and `ssh-ed25519 …` or `ssh-rsa …` public keys without their comments. */
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
  const allowed =
    "an age public key (age1 and 58 characters, age1pq1… or a plugin's age1NAME1…) or an SSH public key (ssh-ed25519 or ssh-rsa)";
  if (typeof key !== "string") throw mustBeUnseen(field, allowed);
  if (/secret-key|private key|age-plugin-/i.test(key)) throw mustBeUnseen(field, "a public key, not a private one");
  if (key.startsWith("ssh-")) return parseSshPublicKey(field);
  const kind = AGE_KINDS.find(({ form }) => form.test(key));
  if (kind === undefined) throw mustBe(field, allowed);
  const decoded = bech32.decodeUnsafe(key, false);
  if (!decoded) throw mustBe(field, "an age public key whose checksum is right (a character is mistyped)");
  const bytes = bech32.fromWordsUnsafe(decoded.words);
  if (!bytes || (kind.bytes !== undefined && bytes.length !== kind.bytes)) throw mustBe(field, allowed);
  return key;
}

/**
 * The texts of age's public keys: X25519, post-quantum (ML-KEM-768 with X25519), and those of plugins, whose data are the
 * plugin's own. Which of them are taken is the matter of the sops at hand. Source: https://c2sp.org/age and
 * https://c2sp.org/age-plugin
 */
const AGE_KINDS: readonly { readonly form: RegExp; readonly bytes?: number }[] = [
  { form: /^age1[02-9a-z]{58}$/, bytes: 32 },
  { form: /^age1pq1[02-9a-z]+$/, bytes: 1216 },
  { form: /^age1[0-9a-z+._-]+1[02-9a-z]{6,2000}$/ },
];

function parseFingerprint(field: Field): string {
  if (typeof field.value !== "string" || !/^[0-9a-f]{40}$/i.test(field.value)) {
    const remedy = `gpg --fingerprint KEY shows it, set ${NAMESPACE}:${field.path}`;
    throw mustBe(field, "the 40 hexadecimal digits of a PGP key's fingerprint", remedy);
  }
  return field.value.toUpperCase();
}
