/** Who opens sealed files besides the Key Vault key: for recovery when the vault is gone, or for CI. */
export interface Recipients {
  /** `age1…` public keys, and `ssh-ed25519 …` or `ssh-rsa …` public keys without their comments. */
  readonly age: readonly string[];
  /** Fingerprints of PGP keys, 40 upper-case hexadecimal digits. */
  readonly pgp: readonly string[];
}
