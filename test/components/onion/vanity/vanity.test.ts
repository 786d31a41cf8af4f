import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase32 } from "../../../../components/onion/base32";
import { onionHostname } from "../../../../components/onion/hostname";
import { findVanityKey } from "../../../../components/onion/vanity/vanity";
import { searchInThreads } from "../../../../components/onion/vanity/vanity-threads";
import {
  checkFeasible,
  describeProgress,
  duration,
  vanityProgress,
} from "../../../../components/onion/vanity-estimate";
import { checkVanityPrefix, prefixBits } from "../../../../components/onion/vanity-prefix";

const day = 86_400_000;
const hint = "an onion hostname has only a-z and 2-7";

test.each([
  ["", 'vanity prefix "" has 0 characters, must have 1 to 8: each more takes 32 times as long to find'],
  [
    "abcdefghi",
    'vanity prefix "abcdefghi" has 9 characters, must have 1 to 8: each more takes 32 times as long to find',
  ],
  ["g00d", `vanity prefix "g00d" has "0": ${hint} (there is no 0, 1, 8 or 9)`],
  ["a1", `vanity prefix "a1" has "1": ${hint} (there is no 0, 1, 8 or 9)`],
  ["f8", `vanity prefix "f8" has "8": ${hint} (there is no 0, 1, 8 or 9)`],
  ["99", `vanity prefix "99" has "9": ${hint} (there is no 0, 1, 8 or 9)`],
  ["a-b", `vanity prefix "a-b" has "-": ${hint} (there is no 0, 1, 8 or 9)`],
  ["a b", `vanity prefix "a b" has " ": ${hint} (there is no 0, 1, 8 or 9)`],
  ["Shop", `vanity prefix "Shop" has "S": ${hint} (lower-case letters only)`],
  ["a\n", `vanity prefix "a\\n" has "\n": ${hint} (there is no 0, 1, 8 or 9)`],
])("the prefix %j is refused before any search", async (prefix, reason) => {
  expect(() => checkVanityPrefix(prefix)).toThrow(new Error(reason));
  await expect(findVanityKey(prefix)).rejects.toThrow(new Error(reason));
});

test("the bits of a prefix are those that its hostnames have in common", () => {
  const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(keys, keys, fc.integer({ min: 1, max: 8 }), (publicKey, other, length) => {
      const prefix = encodeBase32(publicKey).slice(0, length);
      const { mask, wanted } = prefixBits(prefix);
      const low = (key: Uint8Array) => BigInt(Buffer.from(key).readUIntLE(0, 5));
      expect(low(publicKey) & mask).toBe(wanted);
      expect((low(other) & mask) === wanted).toBe(onionHostname(other).startsWith(prefix));
    }),
  );
});

describe("the expected time", () => {
  test("is the number of keys that a prefix takes on average, at the speed of now", () => {
    expect(vanityProgress("onion", 1000, 2 ** 20, 5_000).expectedMs).toBe(32_000);
  });

  test("is refused above the limit, with what would be allowed", () => {
    expect(() => checkFeasible("abcdefgh", 10_000_000, day)).toThrow(
      new Error(
        'vanity prefix "abcdefgh" would take about 31 h at the 10,000,000 keys a second of this machine, at most 24 h ' +
          "are allowed: take up to 7 characters",
      ),
    );
    expect(() => checkFeasible("abcdefg", 10_000_000, day)).not.toThrow();
  });

  test("is shown in a line", () => {
    expect(describeProgress(vanityProgress("onion", 12_345_678, 5_000_000, 2_469))).toBe(
      "looking for an onion hostname that starts with onion: 12,345,678 keys in 2 s, 5,000,000 a second, " +
        "about 7 s more expected",
    );
  });

  test.each([
    [5, "5 ms"],
    [999, "999 ms"],
    [1_000, "1 s"],
    [119_000, "119 s"],
    [120_000, "2 min"],
    [7_200_000, "2 h"],
    [3 * day, "3 days"],
    [1000 * day, "1,000 days"],
  ])("of %i ms is written %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("the search in threads", () => {
  test("finds a key with the prefix", async () => {
    const key = await searchInThreads("ab", { limitMs: day });
    expect(onionHostname(key.publicKey)).toMatch(/^ab/);
  });

  test("gives up on a prefix that is out of reach at the speed it has, and tells how it went", async () => {
    await expect(searchInThreads("zzzzzzzz", { limitMs: 60_000 })).rejects.toThrow(
      /^vanity prefix "zzzzzzzz" would take about [\d,]+ (h|days) at the [\d,]+ keys a second of this machine, at most 60 s are allowed: take up to \d characters$/,
    );
  });

  test("reports speed and expected time until it is broken off", async () => {
    const controller = new AbortController();
    const reports: number[] = [];
    const search = searchInThreads("zzzzzzzz", {
      limitMs: Number.POSITIVE_INFINITY,
      threads: 1,
      signal: controller.signal,
      onProgress: ({ keysPerSecond, expectedMs }) => {
        reports.push(keysPerSecond, expectedMs);
        if (reports.length >= 6) controller.abort(new Error("enough"));
      },
    });
    await expect(search).rejects.toThrow("enough");
    expect(reports.every((number) => number > 0)).toBe(true);
  });

  test("does not start when it is broken off before", async () => {
    const search = searchInThreads("ab", { limitMs: day, signal: AbortSignal.abort(new Error("never mind")) });
    await expect(search).rejects.toThrow("never mind");
  });
});
