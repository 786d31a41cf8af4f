import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** An RSA key in the two forms that tor knows it by. */
export interface TorIdentity {
  privateKey: KeyObject;
  /** SHA-1 of the public key's PKCS#1 DER, 40 upper-case hex digits. */
  fingerprint: string;
}

const generate = promisify(generateKeyPair);

/**
 * A new RSA key for tor. Made here and not by tor, so that all fingerprints are known before the first tor runs.
 * @param bits tor wants 1024 for a relay's identity
 */
export async function newTorIdentity(bits: number): Promise<TorIdentity> {
  const { privateKey } = await generate("rsa", { modulusLength: bits });
  const der = createPublicKey(privateKey).export({ format: "der", type: "pkcs1" });
  return { privateKey, fingerprint: createHash("sha1").update(der).digest("hex").toUpperCase() };
}

/** The key as unencrypted PKCS#1 PEM, as tor's `keys/secret_id_key` holds it. */
export function identityPem(identity: TorIdentity): string {
  return identity.privateKey.export({ format: "pem", type: "pkcs1" }).toString();
}
