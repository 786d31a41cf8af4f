import { createHash, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";

/** An RSA key in the two forms that tor knows it by. */
export interface TorIdentity {
  /** The private key as PKCS#1 PEM, unencrypted. */
  pem: string;
  /** SHA-1 of the public key's PKCS#1 DER, 40 upper-case hex digits. */
  fingerprint: string;
}

const generate = promisify(generateKeyPair);

/**
 * A new RSA key for tor. Made here and not by tor, so that all fingerprints are known before the first tor runs.
 * @param bits tor wants 1024 for a relay's identity
 */
export async function newTorIdentity(bits: number): Promise<TorIdentity> {
  const { publicKey, privateKey } = await generate("rsa", {
    modulusLength: bits,
    publicKeyEncoding: { format: "der", type: "pkcs1" },
    privateKeyEncoding: { format: "pem", type: "pkcs1" },
  });
  return { pem: privateKey, fingerprint: createHash("sha1").update(publicKey).digest("hex").toUpperCase() };
}
