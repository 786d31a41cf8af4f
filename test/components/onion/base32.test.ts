import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase32, encodeBase32 } from "../../../components/onion/base32";

// RFC 4648, section 10, in lower case and without padding.
test.each([
  ["", ""],
  ["f", "my"],
  ["fo", "mzxq"],
  ["foo", "mzxw6"],
  ["foob", "mzxw6yq"],
  ["fooba", "mzxw6ytb"],
  ["foobar", "mzxw6ytboi"],
])("%j is written %j", (text, base32) => {
  expect(encodeBase32(Buffer.from(text))).toBe(base32);
  expect(Buffer.from(decodeBase32(base32)).toString()).toBe(text);
});

test("any bytes come back, in either case", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(decodeBase32(encodeBase32(bytes))).toEqual(bytes);
      expect(decodeBase32(encodeBase32(bytes).toUpperCase())).toEqual(bytes);
    }),
  );
});

test.each(["a0", "my======", "aä", "a", "mz"])("%j is refused", (text) => {
  expect(() => decodeBase32(text)).toThrow();
});
