import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/**
 * What signs systems, in the form of Nix: `NAME:base64(seed, public key)`, Ed25519.
 * Source: https://nix.dev/manual/nix/latest/command-ref/nix-store/generate-binary-cache-key
 */
export interface SigningKey {
  readonly name: string;
  /** `NAME:base64(32 bytes)`, as `trusted-public-keys` takes it. */
  readonly publicKey: string;
  /** `NAME:base64(64 bytes)` over the text. */
  sign(text: string): string;
}

/** Heads of an Ed25519 key in DER, before its 32 bytes. Source: RFC 8410, section 7 */
const PRIVATE_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_LENGTH = 32;
const SEED_LENGTH = 32;

/** A new key's text. The caller's to wipe. */
export function newSigningKey(name: string): Buffer {
  const { privateKey } = generateKeyPairSync("ed25519");
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  const seed = der.subarray(der.length - SEED_LENGTH);
  const both = Buffer.concat([seed, rawPublic(privateKey)]);
  const text = Buffer.from(`${name}:${both.toString("base64")}`);
  for (const secret of [der, both]) secret.fill(0);
  return text;
}

/** @throws if it is no such key, or its two halves are not of one key; nothing of it is shown */
export function readSigningKey(text: Uint8Array): SigningKey {
  const [, name = "", encoded = ""] = /^([a-z0-9-]+):([A-Za-z0-9+/]{86}==)$/.exec(Buffer.from(text).toString()) ?? [];
  const both = Buffer.from(encoded, "base64");
  if (both.length !== SEED_LENGTH + PUBLIC_LENGTH) throw new Error("it is no signing key of Nix's form");
  const der = Buffer.concat([PRIVATE_HEAD, both.subarray(0, SEED_LENGTH)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  der.fill(0);
  const known = both.subarray(SEED_LENGTH);
  if (!rawPublic(key).equals(known)) throw new Error("its public half is that of another key");
  const publicKey = `${name}:${known.toString("base64")}`;
  both.fill(0, 0, SEED_LENGTH);
  return {
    name,
    publicKey,
    sign: (signed) => `${name}:${sign(null, Buffer.from(signed), key).toString("base64")}`,
  };
}

function rawPublic(key: KeyObject): Buffer {
  const der = createPublicKey(key).export({ format: "der", type: "spki" });
  return der.subarray(der.length - PUBLIC_LENGTH);
}
