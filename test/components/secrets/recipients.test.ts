import { bech32 } from "@scure/base";
import { expect, it } from "vitest";
import { parseRecipients } from "../../../components/secrets/recipients";

const encode = (kind: string, bytes: number) =>
  bech32.encode(kind, bech32.toWords(Buffer.alloc(bytes, 7)), false) as string;
const parse = (...age: string[]) => parseRecipients({ path: "recipients", value: { age } }).age;

it.each([
  ["X25519", encode("age", 32)],
  ["post-quantum", encode("age1pq", 1216)],
  ["of the Secure Enclave's plugin", encode("age1se", 33)],
  ["of a YubiKey's plugin", encode("age1yubikey", 33)],
  ["of a plugin with a hyphen", encode("age1fido2-hmac", 80)],
])("an age key (%s) is taken as it is written", (_, key) => {
  expect(parse(key)).toEqual([key]);
});

it.each([
  ["X25519 of 31 bytes", encode("age", 31)],
  ["post-quantum, cut short", encode("age1pq", 1215)],
  ["of nobody's kind", encode("bge1pq", 32)],
])("an age key (%s) is refused by name", (_, key) => {
  expect(() => parse(key)).toThrow(/^recipients\.age\[0\] must be an age public key/);
});

it("with a mistyped character is refused, whatever its kind", () => {
  for (const key of [encode("age", 32), encode("age1pq", 1216), encode("age1se", 33)]) {
    const mistyped = key.slice(0, -1) + (key.endsWith("q") ? "p" : "q");
    expect(() => parse(mistyped)).toThrow("whose checksum is right (a character is mistyped)");
  }
});
