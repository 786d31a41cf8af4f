import { createHash } from "node:crypto";
import { decodeBase32, encodeBase32 } from "./base32";

const VERSION = 3;
const EXAMPLE = "56 characters of a-z and 2-7, then .onion";

/**
 * The hostname of a version 3 onion service: base32(public key | checksum | version) + ".onion".
 * Source: https://spec.torproject.org/rend-spec/encoding-onion-addresses.html
 * @param publicKey the service's ed25519 public key, 32 bytes
 */
export function onionHostname(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) {
    throw new Error(`onion public key is ${publicKey.length} bytes long, must be 32`);
  }
  return `${encodeBase32(Buffer.concat([publicKey, checksum(publicKey), Buffer.of(VERSION)]))}.onion`;
}

/**
 * Checks a version 3 onion hostname as a person or a `hostname` file gives it (either case, white space around it
 * allowed; no subdomain, no port).
 * @returns the hostname in its one canonical spelling, and the 32-byte ed25519 public key that it holds
 * @throws with the reason if it is no such hostname
 */
export function parseOnionHostname(text: string): { hostname: string; publicKey: Uint8Array } {
  const hostname = text.trim().toLowerCase();
  const shown = JSON.stringify(hostname.length > 80 ? `${hostname.slice(0, 80)}…` : hostname);
  const label = /^([a-z0-9]*)\.onion$/.exec(hostname)?.[1];
  if (label === undefined) throw new Error(`onion hostname must be ${EXAMPLE}, got ${shown}`);
  if (label.length === 16)
    throw new Error(`onion hostname ${shown} is of version 2, which tor dropped: only version 3`);
  if (label.length !== 56) throw new Error(`onion hostname must be ${EXAMPLE}, got ${label.length} in ${shown}`);
  const wrong = /[^a-z2-7]/.exec(label)?.[0];
  if (wrong !== undefined) throw new Error(`onion hostname must be ${EXAMPLE}, got "${wrong}" in ${shown}`);
  const bytes = decodeBase32(label);
  if (bytes[34] !== VERSION) throw new Error(`onion hostname ${shown} is of version ${bytes[34]}, must be ${VERSION}`);
  const publicKey = bytes.slice(0, 32);
  if (!checksum(publicKey).equals(bytes.subarray(32, 34))) {
    throw new Error(`onion hostname ${shown} has a wrong checksum: one of its characters is mistyped`);
  }
  return { hostname, publicKey };
}

function checksum(publicKey: Uint8Array): Buffer {
  const hash = createHash("sha3-256").update(".onion checksum").update(publicKey).update(Buffer.of(VERSION));
  return hash.digest().subarray(0, 2);
}
