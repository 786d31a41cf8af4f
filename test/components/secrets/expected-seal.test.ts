import { describe, expect, it } from "vitest";
import { expectedSeal } from "../../../components/secrets/expected-seal";
import type { SealRecord } from "../../../components/secrets/seal/seal-record";
import { HOSTNAME } from "../project-folder";

const WISH = {
  fingerprint: "onion:#1",
  keyUrl: "https://v.vault.azure.net/keys/k/1",
  recipients: { age: ["a", "b"], pgp: [] },
};
const RECORD: SealRecord = {
  version: 1,
  source: { onion: {} },
  generation: 1,
  ...WISH,
  digest: "d",
  sealedAt: "2026-01-01T00:00:00.000Z",
  onion: { hostname: HOSTNAME },
};

describe("before its command has run, a sealed file", () => {
  it("is known to stay as it is, where it is sealed of the same for the same", () => {
    expect(expectedSeal(RECORD, WISH)).toEqual({ digest: "d", hostname: HOSTNAME });
    expect(expectedSeal(RECORD, { ...WISH, recipients: { age: ["b", "a"], pgp: [] } }).digest).toBe("d");
  });

  it("is known to keep its address, where it is sealed for others", () => {
    expect(expectedSeal(RECORD, { ...WISH, keyUrl: "https://v.vault.azure.net/keys/k/2" })).toEqual({
      hostname: HOSTNAME,
    });
    expect(expectedSeal(RECORD, { ...WISH, recipients: { age: ["a"], pgp: [] } })).toEqual({ hostname: HOSTNAME });
  });

  it.each<[string, SealRecord | undefined, string]>([
    ["was never sealed", undefined, WISH.fingerprint],
    ["is to be sealed of something else", RECORD, "onion:#2"],
    ["was sealed by hand, of who knows what", { ...RECORD, byHand: true }, WISH.fingerprint],
  ])("is not known at all if it %s", (_, record, fingerprint) => {
    expect(expectedSeal(record, { ...WISH, fingerprint })).toEqual({});
  });
});
