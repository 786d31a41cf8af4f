import { howToInstall } from "../../process/tools";
import type { Explain } from "./failure";
import { unusableKey } from "./pgp-key";

/** Why sops could not seal for a recipient, or open with its key; other ones than the vault. */
export const recipientFailures: readonly (readonly [RegExp, Explain])[] = [
  [
    /failed to start (?:gpg-)?agent|can't connect to the (?:gpg-)?agent/,
    () => ({
      reason: "gpg cannot reach its agent, which has the private keys",
      remedy: "start it with gpgconf --launch gpg-agent (package gnupg-agent, or gpg-agent)",
      passing: false,
    }),
  ],
  [
    /failed to encrypt sops data key with pgp: \]/, // gpg itself would have said why
    () => ({
      reason: "gpg is not on PATH, and a recipient is a PGP key",
      remedy: `${howToInstall("gpg")}, or remove the key from sealed-onion:recipients`,
      passing: false,
    }),
  ],
  [
    /([0-9A-F]{40}): skipped: Unusable public key/,
    ([, fingerprint]) => ({
      ...unusableKey(fingerprint ?? ""),
      passing: false,
    }),
  ],
  [
    /([0-9A-F]{40})": could not encrypt/,
    ([, fingerprint]) => ({
      reason: `the public key of PGP recipient ${fingerprint} is not in the keyring`,
      remedy: `gpg --recv-keys ${fingerprint}, or gpg --import its file`,
      passing: false,
    }),
  ],
  [
    /couldn't start plugin: "([^"]+)" plugin not found/,
    ([, plugin]) => ({
      reason: `a recipient is a key of the age plugin ${plugin}, and age-plugin-${plugin} is not on PATH`,
      remedy: `install age-plugin-${plugin}, or remove the key from sealed-onion:recipients`,
      passing: false,
    }),
  ],
  [
    /malformed recipient "(age1pq1.{8})|unknown recipient type: "(age1pq1.{8})/,
    ([, key, other]) => ({
      reason: `this sops cannot seal for post-quantum age keys (${key ?? other}…)`,
      remedy: "install 3.12 or later, or remove the key from sealed-onion:recipients",
      passing: false,
    }),
  ],
  [
    /malformed recipient "(age1.{8})|unknown recipient type: "(age1.{8})|failed to parse input as age key from age plugin/,
    ([, key, other]) => ({
      reason: `this sops cannot seal for an age key of sealed-onion:recipients (${key ?? other ?? "a plugin's"}…)`,
      remedy: "install a newer sops, or remove the key",
      passing: false,
    }),
  ],
];
