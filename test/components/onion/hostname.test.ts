import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeBase32 } from "../../../components/onion/base32";
import { onionHostname, parseOnionHostname } from "../../../components/onion/hostname";

// The examples of the specification (rend-spec, "Encoding onion addresses").
const examples = [
  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
  "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion",
  "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion",
];
const [example = ""] = examples;

test.each(examples)("%s is read and written", (hostname) => {
  const parsed = parseOnionHostname(hostname);
  expect(parsed.hostname).toBe(hostname);
  expect(onionHostname(parsed.publicKey)).toBe(hostname);
});

test("a hostname file's line break and upper case are taken", () => {
  expect(parseOnionHostname(`${example.toUpperCase()}\n`).hostname).toBe(example);
});

test("any public key comes back from its hostname", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (publicKey) => {
      expect(parseOnionHostname(onionHostname(publicKey)).publicKey).toEqual(publicKey);
    }),
  );
});

test("any one mistyped character is noticed", () => {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  fc.assert(
    fc.property(fc.nat(55), fc.constantFrom(...alphabet), (at, character) => {
      fc.pre(example[at] !== character);
      const mistyped = example.slice(0, at) + character + example.slice(at + 1);
      expect(() => parseOnionHostname(mistyped)).toThrow(/wrong checksum|version/);
    }),
  );
});

const allowed = "56 characters of a-z and 2-7, then .onion";
const otherVersion = `${encodeBase32(new Uint8Array(34))}`.padEnd(56, "a");

test.each([
  ["", `onion hostname must be ${allowed}, got ""`],
  ["example.com", `onion hostname must be ${allowed}, got "example.com"`],
  [example.slice(0, -6), `onion hostname must be ${allowed}, got "${example.slice(0, -6)}"`],
  [`www.${example}`, `onion hostname must be ${allowed}, got "www.${example}"`],
  [`${example}:80`, `onion hostname must be ${allowed}, got "${example}:80"`],
  [`http://${example}`, `onion hostname must be ${allowed}, got "http://${example}"`],
  [example.slice(1), `onion hostname must be ${allowed}, got 55 in "${example.slice(1)}"`],
  [
    "expyuzz4wqqyqhjn.onion",
    'onion hostname "expyuzz4wqqyqhjn.onion" is of version 2, which tor dropped: only version 3',
  ],
  [`1${example.slice(1)}`, `onion hostname must be ${allowed}, got "1" in "1${example.slice(1)}"`],
  [`${otherVersion}.onion`, `onion hostname "${otherVersion}.onion" is of version 0, must be 3`],
  [
    `a${example.slice(1)}`,
    `onion hostname "a${example.slice(1)}" has a wrong checksum: one of its characters is mistyped`,
  ],
])("%j is refused with its reason", (text, reason) => {
  expect(() => parseOnionHostname(text)).toThrow(new Error(reason));
});

test("a text of any length is cut in the error", () => {
  expect(() => parseOnionHostname("x".repeat(10_000))).toThrow(
    new Error(`onion hostname must be ${allowed}, got "${"x".repeat(80)}…"`),
  );
});

test("a public key of another length has no hostname", () => {
  expect(() => onionHostname(new Uint8Array(31))).toThrow(new Error("onion public key is 31 bytes long, must be 32"));
});
