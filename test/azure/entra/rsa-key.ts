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

/** The same as a key object, read again from its encoding. */
export async function generateRsaKey(bits: number): Promise<KeyObject> {
  return createPrivateKey(await generateRsaPem(bits));
}

/**
 * One key of each size, made when it is first asked for and the same from then on. Making keys takes most of the time
 * of a test that makes many vaults: where keys need to differ in their names alone, `createCloud` takes this.
 */
export function sameKeys(): (bits: number) => Promise<KeyObject> {
  const known = new Map<number, Promise<KeyObject>>();
  return (bits) => {
    const key = known.get(bits) ?? generateRsaKey(bits);
    known.set(bits, key);
    return key;
  };
}
