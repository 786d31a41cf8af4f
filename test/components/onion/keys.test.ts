import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatPublicKeyFile,
  formatSecretKeyFile,
  generateOnionKey,
  onionKeyFromSeed,
  parseOnionKey,
  parsePublicKeyFile,
  wipeOnionKey,
} from "../../../components/onion/keys";

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

// RFC 8032, section 7.1, tests 1 to 3.
test.each([
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
  ],
])("the seed %s has the public key of RFC 8032", (seed, publicKey) => {
  expect(hex(onionKeyFromSeed(Buffer.from(seed, "hex")).publicKey)).toBe(publicKey);
});

test("a seed expands as @noble/curves expands it", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const key = onionKeyFromSeed(seed);
      const { head, prefix, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
      expect(hex(key.secretKey)).toBe(hex(head) + hex(prefix));
      expect(hex(key.publicKey)).toBe(hex(pointBytes));
    }),
    { numRuns: 20 },
  );
});

test("a generated key is new each time, and clamped", () => {
  const keys = Array.from({ length: 50 }, generateOnionKey);
  expect(new Set(keys.map(({ publicKey }) => hex(publicKey))).size).toBe(50);
  for (const { secretKey } of keys) {
    expect((secretKey[0] ?? 255) & 7).toBe(0);
    expect((secretKey[31] ?? 255) & 0xc0).toBe(0x40);
  }
});

test("the files have tor's form: a header of 32 bytes, then the key", () => {
  const key = generateOnionKey();
  const secret = formatSecretKeyFile(key);
  expect(secret.subarray(0, 32).toString("latin1")).toBe("== ed25519v1-secret: type0 ==\0\0\0");
  expect(hex(secret.subarray(32))).toBe(hex(key.secretKey));
  const publicFile = formatPublicKeyFile(key);
  expect(publicFile.subarray(0, 32).toString("latin1")).toBe("== ed25519v1-public: type0 ==\0\0\0");
  expect(hex(parsePublicKeyFile(publicFile))).toBe(hex(key.publicKey));
});

test("a wiped key holds nothing of the secret half", () => {
  const key = generateOnionKey();
  wipeOnionKey(key);
  expect(key.secretKey).toEqual(Buffer.alloc(64));
});

describe("an existing key", () => {
  const key = onionKeyFromSeed(Buffer.alloc(32, 7));
  const file = formatSecretKeyFile(key);
  const base64 = file.toString("base64");
  const wrapped = (end: string) => (base64.match(/.{1,76}/g) ?? []).join(end);
  const yaml = (end: string) =>
    ["---", "hostname: x.onion", `hs_ed25519_public_key: ${formatPublicKeyFile(key).toString("base64")}`]
      .concat([`hs_ed25519_secret_key: ${base64}`, "time: 2026-01-01 00:00:00", ""])
      .join(end);

  test("whose last byte is a line break keeps it", async () => {
    const ends = Buffer.from(file);
    ends[95] = 10;
    expect((await parseOnionKey(ends)).secretKey.at(-1)).toBe(10);
  });

  test("is one, not one of several", async () => {
    await expect(parseOnionKey(Buffer.from(yaml("\n") + yaml("\n")))).rejects.toThrow(
      new Error("there are 2 onion keys in it: keep the one that is meant"),
    );
  });

  test.each([
    ["tor's file", file],
    ["its base64", Buffer.from(base64)],
    ["its base64 with a line break", Buffer.from(`${base64}\n`)],
    ["its base64 as `base64` wraps it", Buffer.from(wrapped("\n"))],
    ["its base64 wrapped, with CRLF", Buffer.from(`${wrapped("\r\n")}\r\n`)],
    ["its base64 behind a byte order mark", Buffer.from(`\u{feff}${base64}\r\n`)],
    ["tor's file with a line break too many", Buffer.concat([file, Buffer.from("\n")])],
    ["tor's file with a CRLF too many", Buffer.concat([file, Buffer.from("\r\n")])],
    ["what `mkp224o -y` writes", Buffer.from(yaml("\n"))],
    ["what `mkp224o -y` writes, with CRLF", Buffer.from(yaml("\r\n"))],
    ["what tor's control port prints", Buffer.from(`ED25519-V3:${Buffer.from(key.secretKey).toString("base64")}`)],
  ])("is read from %s, with the public key of its scalar", async (_, content) => {
    const read = await parseOnionKey(content);
    expect(hex(read.secretKey)).toBe(hex(key.secretKey));
    expect(hex(read.publicKey)).toBe(hex(key.publicKey));
  });

  test("is not changed by reading it", async () => {
    const content = Buffer.from(file);
    await parseOnionKey(content);
    expect(content.equals(file)).toBe(true);
  });

  test("comes back for any seed", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const made = onionKeyFromSeed(seed);
        const read = await parseOnionKey(formatSecretKeyFile(made));
        expect(hex(read.publicKey)).toBe(hex(made.publicKey));
      }),
      { numRuns: 20 },
    );
  });
});

describe("a damaged key", () => {
  const sound = formatSecretKeyFile(onionKeyFromSeed(Buffer.alloc(32, 9)));
  const changed = (at: number, value: number) => {
    const file = Buffer.from(sound);
    file[at] = value;
    return file;
  };
  const header = 'it does not start with "== ed25519v1-secret: type0 ==" and 3 NUL bytes';
  const [first = 0, last = 0] = [sound[32], sound[63]];

  test.each([
    ["empty", Buffer.alloc(0), "it is 0 bytes long, must be 96"],
    ["cut short", sound.subarray(0, 95), "it is 95 bytes long, must be 96"],
    ["too long", Buffer.concat([sound, Buffer.from("\n\n")]), "it is 98 bytes long, must be 96"],
    ["without its header", sound.subarray(32), "it is 64 bytes long, must be 96"],
    [
      "a public key's file",
      formatPublicKeyFile(onionKeyFromSeed(Buffer.alloc(32, 9))),
      "it is 64 bytes long, must be 96",
    ],
    ["with a letter of the header wrong", changed(5, 0x45), header],
    ["of another type", changed(25, 0x31), header],
    ["with a space for a NUL byte", changed(30, 0x20), header],
    ["all zeros", Buffer.alloc(96), header],
    [
      "cut short and in base64",
      Buffer.from(sound.subarray(0, 90).toString("base64")),
      "it is 90 bytes long, must be 96",
    ],
    ["a control port's key cut short", Buffer.from("ED25519-V3:AAAA"), "it is 35 bytes long, must be 96"],
    ["with low bits set", changed(32, first | 4), "its scalar is not clamped (the lowest three bits must be 0)"],
    [
      "with the highest bit set",
      changed(63, last | 0x80),
      "its scalar is not clamped (the highest two bits must be 01)",
    ],
    ["with bit 254 clear", changed(63, last & 0x3f), "its scalar is not clamped (the highest two bits must be 01)"],
    [
      "with zeros for the second half",
      Buffer.concat([sound.subarray(0, 64), Buffer.alloc(32)]),
      "its second half is all zeros",
    ],
  ])("(%s) is refused with the reason alone", async (_, content, reason) => {
    await expect(parseOnionKey(content)).rejects.toThrow(
      new Error(`onion secret key is damaged: ${reason}: give hs_ed25519_secret_key as tor or mkp224o wrote it`),
    );
  });

  test("never has a byte of it in the error", async () => {
    const damaged = fc.oneof(
      fc.uint8Array({ minLength: 8, maxLength: 400 }),
      fc
        .uint8Array({ minLength: 64, maxLength: 64 })
        .map((key) => Buffer.concat([sound.subarray(0, 32), key.map((byte) => byte | 7)])),
    );
    await fc.assert(
      fc.asyncProperty(damaged, async (content) => {
        const error = await parseOnionKey(content).then(() => undefined, String);
        const [text, tail] = [Buffer.from(content), Buffer.from(content).subarray(-8)];
        for (const shown of [text.toString("latin1"), tail.toString("hex"), tail.toString("base64")]) {
          expect(error ?? shown).not.toContain(shown);
        }
      }),
    );
  });
});

test.each([
  ["cut short", Buffer.alloc(63), "it is 63 bytes long, must be 64"],
  ["of zeros", Buffer.alloc(64), 'it does not start with "== ed25519v1-public: type0 ==" and 3 NUL bytes'],
])("a public key's file that is %s is refused", (_, content, reason) => {
  expect(() => parsePublicKeyFile(content)).toThrow(new Error(`onion public key is damaged: ${reason}`));
});

test("a seed of another length is refused", () => {
  expect(() => onionKeyFromSeed(new Uint8Array(31))).toThrow(new Error("ed25519 seed is 31 bytes long, must be 32"));
});
