import { createHash, createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { secretKeyFile } from "./key-text";

/** The ed25519 key of a version 3 onion service. Both arrays are the caller's to wipe (`wipeOnionKey`). */
export interface OnionKey {
  /**
   * The expanded secret key, 64 bytes: a clamped scalar (little-endian) and the prefix that signatures hash.
   * This is the form that tor keeps: a key with a chosen address has no seed.
   */
  secretKey: Uint8Array;
  /** The public key, 32 bytes. */
  publicKey: Uint8Array;
}

const secretHeader = fileHeader("== ed25519v1-secret: type0 ==");
const publicHeader = fileHeader("== ed25519v1-public: type0 ==");
const SECRET_FILE_LENGTH = 32 + 64;
/** The ASN.1 around a 32-byte seed (RFC 8410): the only form in which node:crypto takes one. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const REMEDY = "give hs_ed25519_secret_key as tor or mkp224o wrote it";

/** A new random onion key. */
export function generateOnionKey(): OnionKey {
  const seed = randomBytes(32);
  try {
    return onionKeyFromSeed(seed);
  } finally {
    seed.fill(0);
  }
}

/** The onion key that a 32-byte ed25519 seed expands to (RFC 8032, 5.1.5). */
export function onionKeyFromSeed(seed: Uint8Array): OnionKey {
  const publicKey = ed25519PublicKey(seed);
  const secretKey = createHash("sha512").update(seed).digest();
  clampScalar(secretKey);
  return { secretKey, publicKey };
}

/** The public key, 32 bytes, of a 32-byte ed25519 seed (RFC 8032, 5.1.5). */
export function ed25519PublicKey(seed: Uint8Array): Buffer {
  if (seed.length !== 32) throw new Error(`ed25519 seed is ${seed.length} bytes long, must be 32`);
  const pkcs8 = Buffer.concat([PKCS8_PREFIX, seed]);
  try {
    const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
    return spki.export({ format: "der", type: "spki" }).subarray(-32);
  } finally {
    pkcs8.fill(0);
  }
}

/**
 * Clears the low three bits and the top bit of a scalar (its first 32 bytes, little-endian) and sets bit 254
 * (RFC 8032, 5.1.5).
 */
export function clampScalar(secretKey: Uint8Array): void {
  secretKey[0] = (secretKey[0] ?? 0) & 0xf8;
  secretKey[31] = ((secretKey[31] ?? 0) & 0x3f) | 0x40;
}

/** The content of tor's `hs_ed25519_secret_key`: 29 characters of header, 3 NUL bytes, 64 bytes of expanded key. */
export function formatSecretKeyFile(key: OnionKey): Buffer {
  return Buffer.concat([secretHeader, key.secretKey]);
}

/** The content of tor's `hs_ed25519_public_key`: 29 characters of header, 3 NUL bytes, the 32-byte public key. */
export function formatPublicKeyFile(key: Pick<OnionKey, "publicKey">): Buffer {
  return Buffer.concat([publicHeader, key.publicKey]);
}

/**
 * Reads an existing onion key: tor's and mkp224o's file `hs_ed25519_secret_key` (binary), or one of the texts that it is
 * kept as (an environment variable or a password store holds text only), see `secretKeyFile`.
 *
 * tor itself replaces a damaged file by a new identity without a word, so everything is checked here.
 * @throws with the exact reason; the message holds no byte of the content
 */
export async function parseOnionKey(content: Uint8Array): Promise<OnionKey> {
  const file = Buffer.from(secretKeyFile(content, secretHeader, SECRET_FILE_LENGTH));
  const secretKey = new Uint8Array(file.subarray(secretHeader.length));
  const wrong = secretKeyFileDamage(file);
  file.fill(0);
  if (wrong) {
    secretKey.fill(0);
    throw new Error(`onion secret key is damaged: ${wrong}: ${REMEDY}`);
  }
  return { secretKey, publicKey: await derivePublicKey(secretKey) };
}

/** Reads tor's `hs_ed25519_public_key`. @returns the 32-byte public key @throws with the reason if it is damaged */
export function parsePublicKeyFile(content: Uint8Array): Uint8Array {
  const length = publicHeader.length + 32;
  if (content.length !== length) {
    throw new Error(`onion public key is damaged: it is ${content.length} bytes long, must be ${length}`);
  }
  if (!startsWith(content, publicHeader)) {
    throw new Error(
      'onion public key is damaged: it does not start with "== ed25519v1-public: type0 ==" and 3 NUL bytes',
    );
  }
  return new Uint8Array(content.subarray(publicHeader.length));
}

/**
 * The public key of an expanded secret key: its scalar times the base point. OpenSSL only starts from a seed, so
 * this needs @noble/curves, which is loaded here (50 ms) and not by those who only generate.
 */
async function derivePublicKey(secretKey: Uint8Array): Promise<Uint8Array> {
  const { ed25519 } = await import("@noble/curves/ed25519.js");
  const { Point } = ed25519;
  const scalar = BigInt(`0x${Buffer.from(secretKey.subarray(0, 32)).reverse().toString("hex")}`);
  return Point.BASE.multiply(scalar % Point.Fn.ORDER).toBytes();
}

/** Overwrites the secret half with zeros. JavaScript may have copied it meanwhile: this shortens its life, no more. */
export function wipeOnionKey(key: OnionKey): void {
  key.secretKey.fill(0);
}

function fileHeader(text: string): Buffer {
  return Buffer.concat([Buffer.from(text, "ascii"), Buffer.alloc(3)]);
}

function startsWith(content: Uint8Array, header: Buffer): boolean {
  return header.equals(content.subarray(0, header.length));
}

/** Why tor would not take this file for a key, or why it is not safe to use as one; undefined if it is sound. */
function secretKeyFileDamage(file: Buffer): string | undefined {
  if (file.length !== SECRET_FILE_LENGTH) return `it is ${file.length} bytes long, must be ${SECRET_FILE_LENGTH}`;
  if (!startsWith(file, secretHeader)) {
    return 'it does not start with "== ed25519v1-secret: type0 ==" and 3 NUL bytes';
  }
  const [lowest = 0, highest = 0] = [file[32], file[63]];
  if ((lowest & 0x07) !== 0) return "its scalar is not clamped (the lowest three bits must be 0)";
  if ((highest & 0xc0) !== 0x40) return "its scalar is not clamped (the highest two bits must be 01)";
  // With a known prefix the nonce of every signature is known, and with it the secret scalar.
  if (file.subarray(64).every((byte) => byte === 0)) return "its second half is all zeros";
  return undefined;
}
