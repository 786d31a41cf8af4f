import { isSecret, isUnknown, type PropertyMap, plainMap } from "loopback-azure/provider/values";
import { describe, expect, it } from "vitest";
import { simulatedRandom } from "./random";

const random = simulatedRandom();

function create(type: string, inputs: PropertyMap, preview = false) {
  return random.create({ urn: `urn:pulumi:dev::demo::${type}::it`, type, name: "it", inputs, preview });
}

describe("the random provider", () => {
  it("makes bytes that are secret, by the schema", async () => {
    const { outputs } = await create("random:index/randomBytes:RandomBytes", { length: 32 });
    expect(isSecret(outputs.base64) && isSecret(outputs.hex)).toBe(true);
    const { base64, hex } = plainMap(outputs);
    expect(Buffer.from(String(base64), "base64").toString("hex")).toBe(hex);
    expect(String(hex)).toMatch(/^[0-9a-f]{64}$/);
  });

  it("makes texts of the wanted characters, with the least of each", async () => {
    const inputs = { length: 8, upper: false, special: false };
    const { id, outputs } = await create("random:index/randomString:RandomString", inputs);
    expect(outputs.result).toMatch(/^[a-z0-9]{8}$/);
    expect(id).toBe(outputs.result);
    const least = { length: 4, minNumeric: 4 };
    expect((await create("random:index/randomString:RandomString", least)).outputs.result).toMatch(/^[0-9]{4}$/);
  });

  it("knows nothing in a preview, makes again what changes, and keeps the rest", async () => {
    const type = "random:index/randomBytes:RandomBytes";
    const { outputs } = await create(type, { length: 8 }, true);
    expect(isUnknown(plainMap(outputs).hex)).toBe(true);
    const request = { id: "x", urn: "u", type, oldInputs: { length: 8 }, oldOutputs: {}, news: { length: 9 } };
    expect((await random.diff(request)).detailed).toEqual({ length: "update-replace" });
    expect((await random.diff({ ...request, news: { length: 8 } })).detailed).toEqual({});
  });

  it.each([
    ["random:index/randomBytes:RandomBytes", {}, "missing required property 'length'"],
    ["random:index/randomBytes:RandomBytes", { length: 0 }, "a length must be a whole number of at least 1, got 0"],
    ["random:index/randomString:RandomString", { length: 8, uper: true }, "unknown property 'uper'"],
  ])("refuses %s of %j", async (type, news, reason) => {
    const { failures } = await random.check({
      urn: "u",
      type,
      name: "it",
      olds: undefined,
      news,
      randomSeed: new Uint8Array(),
    });
    expect(failures.map((failure) => failure.reason)).toEqual([reason]);
  });

  it("says what it does not know", async () => {
    await expect(create("random:index/randomPet:RandomPet", {})).rejects.toThrow(
      "random:index/randomPet:RandomPet is not simulated",
    );
  });
});
