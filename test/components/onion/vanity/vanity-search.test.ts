import { expect, test } from "vitest";
import { onionHostname } from "../../../../components/onion/hostname";
import { formatSecretKeyFile, type OnionKey, parseOnionKey } from "../../../../components/onion/keys";
import { startVanitySearch, type VanitySearch } from "../../../../components/onion/vanity/vanity-search";

function nextKey(search: VanitySearch): OnionKey {
  for (;;) {
    const key = search.nextBatch();
    if (key) return key;
  }
}

function scalarOf({ secretKey }: OnionKey): bigint {
  return BigInt(`0x${Buffer.from(secretKey.subarray(0, 32)).reverse().toString("hex")}`);
}

test.each(["a", "z", "2", "7", "ab", "q7", "m2x"])(
  "finds keys that start with %s and that are read back",
  async (prefix) => {
    const search = startVanitySearch(prefix, 128);
    for (let found = 0; found < 4; found++) {
      const key = nextKey(search);
      expect(onionHostname(key.publicKey)).toMatch(new RegExp(`^${prefix}`));
      expect((await parseOnionKey(formatSecretKeyFile(key))).publicKey).toEqual(key.publicKey);
    }
  },
);

test("finds as many as chance has it, on a long walk as in the first batch", () => {
  // 128 keys a batch, one in 1024 fits: 117.5 batches of 1000 have one, give or take 10. A walk whose later centers
  // were wrong, or that passed over a side or a half of the vectors, would find half of that or less.
  const search = startVanitySearch("qa", 64);
  let found = 0;
  for (let batch = 0; batch < 1000; batch++) if (search.nextBatch()) found++;
  expect(found).toBeGreaterThan(70);
  expect(found).toBeLessThan(170);
});

test("two keys of one search are no neighbours: anyone who has one does not have the other", () => {
  const search = startVanitySearch("b", 64);
  const [first, second, third] = [nextKey(search), nextKey(search), nextKey(search)].map(scalarOf);
  for (const [a = 0n, b = 0n] of [
    [first, second],
    [second, third],
    [first, third],
  ]) {
    const distance = a > b ? a - b : b - a;
    expect(distance > 2n ** 200n).toBe(true);
  }
});
