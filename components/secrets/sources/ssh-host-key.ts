import { randomBytes } from "node:crypto";
import { structure } from "../../config/fields";
import { ed25519PublicKey } from "../../onion/keys";
import type { KeyKind, Plaintext, Source } from "./source";

const TYPE = "ssh-ed25519";
const MAGIC = Buffer.from("openssh-key-v1\0");
const FIRST_LINE = "-----BEGIN OPENSSH PRIVATE KEY-----";
const LAST_LINE = "-----END OPENSSH PRIVATE KEY-----";
/** The private section is padded to a multiple of this many bytes. */
const BLOCK = 8;

/** Its public part is what stands in `known_hosts`: `ssh-ed25519 AAAA…`. */
const sshKey: KeyKind = {
  what: "SSH host key",
  renewed: "a new SSH host key",
  publicPart: async (content) => publicLine(content),
};

/** A new ed25519 key by which those who log in know the machine, in OpenSSH's form. Its trace is the generation. */
export const sshHostKey: Source<"sshHostKey", object> = {
  kind: "sshHostKey",
  parse: (field) => structure(field, []),
  describe: () => "",
  trace: (_, generation) => `#${generation}`,
  generates: () => ({ ...sshKey, prefix: "" }),
  read: async () => newHostKey(),
};

function newHostKey(): Plaintext {
  const seed = randomBytes(32);
  const content = privateKeyFile(seed);
  seed.fill(0);
  return { content, publicPart: publicLine(content) };
}

/**
 * The file of an ed25519 key without a passphrase.
 * Source: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
 */
function privateKeyFile(seed: Uint8Array): Buffer {
  const publicKey = ed25519PublicKey(seed);
  const whole = Buffer.concat([head(publicKey), framed(privateSection(seed, publicKey))]);
  const lines = whole.toString("base64").match(/.{1,70}/g) ?? [];
  whole.fill(0);
  return Buffer.from(`${[FIRST_LINE, ...lines, LAST_LINE].join("\n")}\n`);
}

/** No cipher, no key derivation and its options, one key: its public half. */
function head(publicKey: Uint8Array): Buffer {
  const blob = Buffer.concat([framed(TYPE), framed(publicKey)]);
  return Buffer.concat([MAGIC, framed("none"), framed("none"), framed(""), Buffer.from([0, 0, 0, 1]), framed(blob)]);
}

function privateSection(seed: Uint8Array, publicKey: Uint8Array): Buffer {
  const check = randomBytes(4);
  const comment = framed("sealed-onion");
  const pair = Buffer.concat([seed, publicKey]);
  const section = Buffer.concat([check, check, framed(TYPE), framed(publicKey), framed(pair), comment]);
  const missing = (BLOCK - (section.length % BLOCK)) % BLOCK;
  const padding = Array.from({ length: missing }, (_, index) => index + 1);
  return Buffer.concat([section, Buffer.from(padding)]);
}

/** The public half, which stands in clear before the private section. @throws if it is no such file */
function publicLine(content: Uint8Array): string {
  const [first, ...lines] = Buffer.from(content).toString("latin1").trimEnd().split("\n");
  const whole = Buffer.from(lines.slice(0, -1).join(""), "base64");
  const publicKey = whole.subarray(head(Buffer.alloc(0)).length).subarray(0, 32);
  const isWhole = first === FIRST_LINE && lines.at(-1) === LAST_LINE && publicKey.length === 32;
  if (!isWhole || !whole.subarray(0, head(publicKey).length).equals(head(publicKey))) {
    throw new Error("it holds no ed25519 key in OpenSSH's form");
  }
  return `${TYPE} ${Buffer.concat([framed(TYPE), framed(publicKey)]).toString("base64")}`;
}

/** RFC 4251, section 5, `string`: a length of 4 bytes, then the bytes. */
function framed(content: string | Uint8Array): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
