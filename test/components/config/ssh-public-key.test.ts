import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSshPublicKey } from "../../../components/config/ssh-public-key";
import { parseRecipients } from "../../../components/secrets/recipients";

function sshString(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

// Encoded by the generator itself: Node 20 can lock up when a key object that it generated is exported.
const privateKeyEncoding = { type: "pkcs8", format: "der" } as const;
const publicKeyEncoding = { type: "spki", format: "der" } as const;

function ed25519(): string {
  const { publicKey } = generateKeyPairSync("ed25519", { privateKeyEncoding, publicKeyEncoding });
  const parts = [Buffer.from("ssh-ed25519"), publicKey.subarray(-32)];
  return `ssh-ed25519 ${Buffer.concat(parts.map(sshString)).toString("base64")}`;
}

function rsa(bits: number): string {
  const { publicKey } = generateKeyPairSync("rsa", {
    modulusLength: bits,
    privateKeyEncoding,
    publicKeyEncoding,
  });
  const read = createPublicKey({ key: publicKey, format: "der", type: "spki" });
  const { e = "", n = "" } = read.export({ format: "jwk" });
  const modulus = Buffer.concat([Buffer.alloc(1), Buffer.from(n, "base64url")]); // positive, in two's complement
  const parts = [Buffer.from("ssh-rsa"), Buffer.from(e, "base64url"), modulus];
  return `ssh-rsa ${Buffer.concat(parts.map(sshString)).toString("base64")}`;
}

const parseKey = (value: unknown) => parseSshPublicKey({ path: "sshPublicKey", value });

describe("an SSH public key", () => {
  it("of Ed25519 or RSA is taken, without its comment", () => {
    for (const key of [ed25519(), rsa(2048), rsa(4096)]) {
      expect(parseKey(key)).toBe(key);
      expect(parseKey(`${key} somebody@somewhere, with a comma\n`)).toBe(key);
    }
  });

  it("of fewer than 2048 bits is refused", () => {
    expect(() => parseKey(rsa(1024))).toThrow("sshPublicKey must be an ssh-rsa key of at least 2048 bits");
  });

  it("is refused wherever it is cut", () => {
    const key = ed25519();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: key.length - 1 }), (length) => {
        expect(() => parseKey(key.slice(0, length))).toThrow(/^sshPublicKey must be/);
      }),
    );
  });

  it("opens sealed files, too", () => {
    const key = ed25519();
    expect(parseRecipients({ path: "recipients", value: { age: [`${key} laptop`] } })).toEqual({ age: [key], pgp: [] });
  });
});

describe("a recipient", () => {
  const AGE = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

  it("of age is taken", () => {
    expect(parseRecipients({ path: "recipients", value: { age: [AGE] } }).age).toEqual([AGE]);
  });

  it("of age with any one character changed is refused: a recovery key must be right", () => {
    const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    fc.assert(
      fc.property(fc.integer({ min: 4, max: AGE.length - 1 }), fc.constantFrom(...letters), (index, letter) => {
        fc.pre(AGE[index] !== letter);
        const changed = AGE.slice(0, index) + letter + AGE.slice(index + 1);
        expect(() => parseRecipients({ path: "recipients", value: { age: [changed] } })).toThrow(/checksum/);
      }),
    );
  });

  it("of PGP is known by its fingerprint, in either case", () => {
    const fingerprint = "0123456789abcdef0123456789ABCDEF01234567";
    expect(parseRecipients({ path: "recipients", value: { pgp: [fingerprint] } }).pgp).toEqual([
      fingerprint.toUpperCase(),
    ]);
  });
});
