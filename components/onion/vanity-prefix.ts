import { decodeBase32 } from "./base32";

/** Longest prefix looked for: 40 bits, days on many cores. Each character takes 32 times as long as the one before. */
export const LONGEST_PREFIX = 8;

/**
 * Checks the beginning that a hostname shall have: 1 to 8 of the characters of a hostname.
 * @throws if no hostname begins so, or none that could be found
 */
export function checkVanityPrefix(prefix: string): void {
  const shown = JSON.stringify(prefix);
  const wrong = /[^a-z2-7]/.exec(prefix)?.[0];
  if (wrong !== undefined) {
    const hint = /[A-Z]/.test(wrong) ? "lower-case letters only" : "there is no 0, 1, 8 or 9";
    throw new Error(`vanity prefix ${shown} has "${wrong}": an onion hostname has only a-z and 2-7 (${hint})`);
  }
  if (prefix.length < 1 || prefix.length > LONGEST_PREFIX) {
    throw new Error(
      `vanity prefix ${shown} has ${prefix.length} characters, must have 1 to ${LONGEST_PREFIX}: ` +
        "each more takes 32 times as long to find",
    );
  }
}

/** How many keys are looked at on average until one has the prefix. */
export function expectedTries(prefix: string): number {
  return 32 ** prefix.length;
}

/** Which bits of a public key's first 40, read as a little-endian number, are fixed by a prefix, and to what. */
export interface PrefixBits {
  mask: bigint;
  wanted: bigint;
}

/** The hostname's first character is the highest five bits of the key's first byte, and so on. */
export function prefixBits(prefix: string): PrefixBits {
  return { mask: lowBits("7".repeat(prefix.length)), wanted: lowBits(prefix) };
}

/** The first 40 bits of a key whose hostname begins so and goes on with zeros (a). */
function lowBits(hostname: string): bigint {
  const bytes = decodeBase32(hostname.padEnd(LONGEST_PREFIX, "a"));
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}
