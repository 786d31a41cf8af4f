import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NeedleScan } from "./needle-scan";

/** Few letters, so that beginnings and ends are alike and strings lie in each other. */
const letters = (minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(0, 65, 66), { minLength, maxLength }).map((bytes) => Buffer.from(bytes));

describe("NeedleScan", () => {
  it("finds what a search for each alone finds", () => {
    fc.assert(
      fc.property(fc.array(letters(2, 9), { minLength: 1, maxLength: 12 }), letters(0, 200), (needles, bytes) => {
        const each = needles.flatMap((needle, index) => (bytes.includes(needle) ? [index] : []));
        expect([...new NeedleScan(needles).in(bytes)].sort((one, other) => one - other)).toEqual(each);
      }),
      { numRuns: 2000 },
    );
  });

  it("finds at the very beginning and end, and what lies in another", () => {
    const scan = new NeedleScan(["whole", "hole", "begin", "the end"].map((text) => Buffer.from(text)));
    expect(scan.in(Buffer.from("begin: whole, the end"))).toEqual(new Set([2, 0, 1, 3]));
  });

  it("refuses what is too short to mean anything", () => {
    expect(() => new NeedleScan([Buffer.from("x")])).toThrow("plaintext of 1 bytes is too short to be searched for");
  });
});
