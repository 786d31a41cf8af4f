/** Nix's own order and choice of letters. Source: libutil/hash.cc, `base32Chars` */
const LETTERS = "0123456789abcdfghijklmnpqrsvwxyz";

/** Bytes in the form in which Nix writes hashes: base 32, the last bits first. */
export function nixBase32(bytes: Uint8Array): string {
  const length = Math.ceil((bytes.length * 8) / 5);
  let text = "";
  for (let place = length - 1; place >= 0; place -= 1) {
    const bit = place * 5;
    const index = Math.floor(bit / 8);
    const both = (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8);
    text += LETTERS[(both >> (bit % 8)) & 0x1f];
  }
  return text;
}
