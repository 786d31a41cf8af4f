import { createPrivateKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/**
 * A new RSA key. The generator itself encodes it: Node 20 can lock up for good when a key object that it generated is
 * exported while the garbage collector takes the generator away.
 * @param bits modulus
 * @returns PKCS#8 in PEM
 */
export async function generateRsaPem(bits: number): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: bits,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return privateKey;
}

/** The same as a key object, read anew from its encoding. */
export async function generateRsaKey(bits: number): Promise<KeyObject> {
  return createPrivateKey(await generateRsaPem(bits));
}
