const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** Lower-case base32 (RFC 4648, alphabet a-z and 2-7) without padding, as onion hostnames are written. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let pending = 0;
  let bits = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((pending >>> bits) & 31);
    }
    pending &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet.charAt((pending << (5 - bits)) & 31);
}

/**
 * The bytes of a base32 text of either case.
 * @throws on a character outside a-z and 2-7, on padding, and on bits left over that are not zero
 */
export function decodeBase32(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let pending = 0;
  let bits = 0;
  let length = 0;
  for (const character of text) {
    pending = (pending << 5) | base32Value(character);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = pending >>> bits;
      pending &= (1 << bits) - 1;
    }
  }
  if (bits >= 5 || pending !== 0) throw new Error("base32 text does not end on a byte");
  return bytes;
}

/** The five bits that one base32 character stands for (0 to 31). @throws if it stands for none */
export function base32Value(character: string): number {
  const value = character.length === 1 ? alphabet.indexOf(character.toLowerCase()) : -1;
  if (value < 0) throw new Error(`base32 has no character "${character}": only a-z and 2-7`);
  return value;
}
