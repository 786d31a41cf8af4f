import { type Field, mustBe, structure } from "../../config/fields";
import { onionHostname } from "../../onion/hostname";
import { formatSecretKeyFile, generateOnionKey, type OnionKey, parseOnionKey, wipeOnionKey } from "../../onion/keys";
import { LONGEST_PREFIX } from "../../onion/vanity-prefix";
import type { KeyKind, Plaintext, Source } from "./source";

export interface OnionReference {
  /** What the hostname starts with. @default any */
  readonly prefix?: string;
}

/** Its public part is its hostname. */
export const onionKey: KeyKind = {
  what: "onion key",
  renewed: "a new onion address",
  publicPart: async (content) => onionHostname((await parseOnionKey(content)).publicKey),
};

/** A new onion key; with a prefix, one whose hostname starts so. Its trace is the prefix and the generation, in clear. */
export const onion: Source<"onion", OnionReference> = {
  kind: "onion",
  parse,
  describe: ({ prefix }) => (prefix ? `${prefix}…` : ""),
  trace: ({ prefix }, generation) => `${prefix ?? ""}#${generation}`,
  generates: ({ prefix }) => ({ ...onionKey, prefix: prefix ?? "" }),
  async read({ prefix }) {
    return onionPlaintext(await newOnionKey(prefix));
  },
};

/** The key in the form that tor reads, with its hostname. The key itself is wiped. */
export function onionPlaintext(key: OnionKey): Required<Plaintext> {
  const plaintext = { content: formatSecretKeyFile(key), publicPart: onionHostname(key.publicKey) };
  wipeOnionKey(key);
  return plaintext;
}

function parse(field: Field): OnionReference {
  const { prefix } = structure(field, ["prefix"]);
  if (prefix === undefined || prefix === "") return {};
  const allowed = `1 to ${LONGEST_PREFIX} of the letters a-z and digits 2-7 (each more takes 32 times as long to find)`;
  if (typeof prefix !== "string" || !/^[a-z2-7]+$/.test(prefix) || prefix.length > LONGEST_PREFIX) {
    throw mustBe({ path: `${field.path}.prefix`, value: prefix }, allowed);
  }
  return { prefix };
}

async function newOnionKey(prefix: string | undefined): Promise<OnionKey> {
  if (!prefix) return generateOnionKey();
  const { findVanityKey } = await import("../../onion/vanity/vanity.js");
  return findVanityKey(prefix, { report: (line) => console.error(line) });
}
