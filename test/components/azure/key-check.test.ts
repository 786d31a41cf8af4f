import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as azure from "../../../components/azure/azure-request";
import { keyProblem } from "../../../components/azure/key-check";

const who = { objectId: "1", tenantId: "2", kind: "user", name: "jane" } as const;
const azuresTime = Date.parse("2026-11-27T12:00:00Z");
const hours = (count: number) => azuresTime / 1000 + count * 3600;
let version = 0;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function reason(attributes: object, date: string | undefined): Promise<string | undefined> {
  version += 1;
  const header = (name: string) => (name === "date" ? date : undefined);
  const body = { key: { key_ops: ["encrypt", "decrypt"] }, attributes };
  vi.spyOn(azure, "askAzure").mockResolvedValue({ status: 200, header, body, text: "" });
  return keyProblem(`https://v.vault.azure.net/keys/k/${version}`, "token", who).then((problem) => problem?.reason);
}

describe("a key's times, where the clock here is wrong", () => {
  it.each<[string, number, object, RegExp | undefined]>([
    ["a day late, and the key has just ended", -24, { exp: hours(-1) }, /expired on 2026-11-27T11:00:00Z/],
    ["a day early, and the key ends in an hour", 24, { exp: hours(1) }, undefined],
    ["a day late, and the key began an hour ago", -24, { nbf: hours(-1) }, undefined],
    ["a day early, and the key begins in an hour", 24, { nbf: hours(1) }, /is not valid before 2026-11-27T13:00:00Z/],
  ])("are told by Azure's: it is %s", async (_, offset, attributes, expected) => {
    vi.setSystemTime(azuresTime + offset * 3_600_000);
    const found = await reason(attributes, new Date(azuresTime).toUTCString());
    if (expected) expect(found).toMatch(expected);
    else expect(found).toBeUndefined();
  });

  it("are told by the one here where Azure's answer names none", async () => {
    vi.setSystemTime(azuresTime);
    expect(await reason({ exp: hours(-1) }, undefined)).toMatch(/expired on/);
  });
});
