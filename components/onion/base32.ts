import { base32nopad } from "@scure/base";

/** Lower-case base32 (RFC 4648, alphabet a-z and 2-7) without padding, as onion hostnames are written. */
export function encodeBase32(bytes: Uint8Array): string {
  return base32nopad.encode(bytes).toLowerCase();
}

/**
 * The bytes of a base32 text of either case.
 * @throws on a character outside a-z and 2-7, on padding, and on bits left over that are not zero
 */
export function decodeBase32(text: string): Uint8Array {
  return base32nopad.decode(text.toUpperCase());
}
