import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { galleryVersion, guidOf, storageAccountName, vaultName } from "../../../components/azure/azure-names";
import { follows } from "../../../components/config/rules";

const stack = fc.stringMatching(/^[a-z](-?[a-z0-9]){0,29}$/).filter((name) => name.length <= 30);
const suffix = fc.stringMatching(/^[a-z0-9]{8}$/);

describe("names in Azure", () => {
  it("of vaults are what Key Vault takes, for any stack", () => {
    fc.assert(
      fc.property(stack, suffix, (name, random) => {
        expect(follows("stack", name)).toBe(true);
        const vault = vaultName(name, random);
        expect(vault).toMatch(/^(?=.{3,24}$)[a-zA-Z](?!.*--)[a-zA-Z0-9-]*[a-zA-Z0-9]$/);
        expect(vault.endsWith(`-${random}`)).toBe(true);
      }),
    );
  });

  it("of storage accounts are what Storage takes, for any stack", () => {
    fc.assert(
      fc.property(stack, suffix, (name, random) => {
        expect(storageAccountName(name, random)).toMatch(/^[a-z0-9]{3,24}$/);
      }),
    );
  });

  it("of role assignments are GUIDs, the same for the same parts and no others", () => {
    const parts = fc.array(fc.string(), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(guidOf(...one)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(guidOf(...one) === guidOf(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});

describe("versions in a gallery", () => {
  const time = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });

  it("are three numbers that Azure takes, and grow with time", () => {
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [before, after] = [one, other].sort((left, right) => left.getTime() - right.getTime());
        const numbers = (date: Date | undefined) =>
          galleryVersion(date?.toISOString() ?? "")
            .split(".")
            .map(Number);
        const [first, second] = [numbers(before), numbers(after)];
        for (const number of first) expect(number).toBeLessThan(2 ** 31);
        const grown = first
          .map((number, index) => (second[index] ?? 0) - number)
          .find((difference) => difference !== 0);
        expect(grown ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("are refused for anything else than a time", () => {
    expect(() => galleryVersion("yesterday")).toThrow('the upload did not say when it was complete: got "yesterday"');
  });
});
