import { describe, expect, it } from "vitest";
import { planSeal, type SealedState } from "../../../../components/secrets/seal/seal-plan";
import type { SealRecord } from "../../../../components/secrets/seal/seal-record";
import type { SealRequest } from "../../../../components/secrets/seal/seal-request";

const hostname = `abc${"x".repeat(53)}.onion`;
const keyUrl = "https://vault.vault.azure.net/keys/sealing/1";

function request(changes: Partial<SealRequest> = {}): SealRequest {
  return {
    stack: "dev",
    name: "secret",
    source: { file: "token" },
    isOnion: false,
    generation: 1,
    from: "",
    fingerprint: "file:1",
    recipients: { keyUrl, age: [], pgp: [] },
    expectedHostname: "",
    previous: undefined,
    ...changes,
  };
}

const onion = (changes: Partial<SealRequest> = {}) =>
  request({ source: { onion: {} }, isOnion: true, fingerprint: "onion:#1", ...changes });

function record(changes: Partial<SealRecord> = {}): SealRecord {
  return {
    version: 1,
    source: { file: "token" },
    generation: 1,
    fingerprint: "file:1",
    keyUrl,
    recipients: { age: [], pgp: [] },
    digest: "00",
    sealedAt: "2026-01-01T00:00:00.000Z",
    ...changes,
  };
}

const hostKey = (changes: Partial<SealRequest> = {}) =>
  request({ source: { sshHostKey: {} }, fingerprint: "sshHostKey:#1", ...changes });

const hostKeyRecord = (changes: Partial<SealRecord> = {}) =>
  record({ source: { sshHostKey: {} }, fingerprint: "sshHostKey:#1", publicKey: "ssh-ed25519 AAAA", ...changes });

const onionRecord = (changes: Partial<SealRecord> = {}) =>
  record({ source: { onion: {} }, fingerprint: "onion:#1", onion: { hostname }, ...changes });

const wrapped = { keyUrls: [keyUrl], age: [], pgp: [], others: [] };
const nothing: SealedState = { isThere: false, sealedFor: undefined, record: undefined, staleRecord: undefined };
const sealed = (known?: SealRecord): SealedState => ({ ...nothing, isThere: true, sealedFor: wrapped, record: known });
const changed = (stale?: SealRecord): SealedState => ({ ...sealed(), staleRecord: stale });
const gone = (stale?: SealRecord): SealedState => ({ ...nothing, staleRecord: stale });
const inGit = (generation?: number): SealedState => ({ ...nothing, lost: { generation, wayBack: "git has it" } });
const damaged: SealedState = { ...nothing, isThere: true };

describe("what seal does about a secret with a source", () => {
  it.each<[string, SealRequest, SealedState, string]>([
    ["nothing is sealed yet", request(), nothing, "seal"],
    ["nothing changed", request(), sealed(record()), "keep"],
    ["its source changed", request({ fingerprint: "file:2" }), sealed(record()), "seal"],
    ["its source is another kind of the same fingerprint", request({ source: { env: "X" } }), sealed(record()), "seal"],
    ["its source moved", request({ source: { file: "elsewhere" } }), sealed(record()), "keep"],
    [
      "its source is not here and it was recorded under another name",
      request({ fingerprint: "absent" }),
      sealed(record()),
      "keep",
    ],
    ["its generation grew", request({ generation: 2 }), sealed(record()), "seal"],
    ["its generation shrank, as after a rollback", request(), sealed(record({ generation: 2 })), "keep"],
    ["it was edited by hand and its source is the same", request(), sealed(record({ byHand: true })), "keep"],
    [
      "it was sealed by hand and its source may be newer",
      request({ fingerprint: "file:2" }),
      sealed(record({ byHand: true })),
      "compare",
    ],
    [
      "git was rolled back behind the state",
      request({ fingerprint: "file:2", previous: { fingerprint: "file:2", generation: 1 } }),
      sealed(record()),
      "keep",
    ],
    ["the file was changed without its record", request(), changed(record()), "open"],
    ["the file and the source were changed", request({ fingerprint: "file:2" }), changed(record()), "seal"],
    ["its record is lost", request(), changed(), "compare"],
    ["its file is lost", request(), gone(record()), "seal"],
    ["its file is damaged", request(), damaged, "seal"],
    ["it becomes an imported onion key", request({ isOnion: true }), sealed(record()), "seal"],
    [
      "it is an imported onion key that did not change",
      request({ isOnion: true }),
      sealed(onionRecord({ source: { file: "token" }, fingerprint: "file:1" })),
      "keep",
    ],
    ["it is an imported onion key without its record", request({ isOnion: true }), changed(onionRecord()), "compare"],
  ])("if %s", (_, wanted, state, plan) => {
    expect(planSeal(wanted, state)).toBe(plan);
  });

  it("refuses to guess at a damaged onion key", () => {
    expect(() => planSeal(request({ isOnion: true }), damaged)).toThrow(
      /secret.sops.json is damaged: restore it with git/,
    );
  });
});

describe("what seal does about another generated key", () => {
  it.each<[string, SealRequest, SealedState, string]>([
    ["there is none yet", hostKey(), nothing, "seal"],
    ["nothing changed", hostKey(), sealed(hostKeyRecord()), "keep"],
    ["its generation grew", hostKey({ generation: 2 }), sealed(hostKeyRecord()), "seal"],
    ["a secret from a source was there", hostKey(), sealed(record()), "seal"],
    ["its record is lost", hostKey(), changed(), "compare"],
    ["an onion key was there and its generation grew", hostKey({ generation: 2 }), sealed(onionRecord()), "seal"],
  ])("if %s", (_, wanted, state, plan) => {
    expect(planSeal(wanted, state)).toBe(plan);
  });

  it.each<[string, SealRequest, SealedState, RegExp]>([
    ["its file is lost", hostKey(), gone(hostKeyRecord()), /set generation to 2 for a new SSH host key$/],
    [
      "its file and record are lost, the state knows it",
      hostKey({ previous: { generation: 1, publicKey: "ssh-ed25519 AAAA" } }),
      nothing,
      /set generation to 2 for a new SSH host key$/,
    ],
    ["its file is damaged", hostKey(), damaged, /is damaged/],
    [
      "its generation shrank",
      hostKey(),
      sealed(hostKeyRecord({ generation: 2 })),
      /^SSH host key secret is of generation 2, not 1: /,
    ],
    [
      "an onion key is sealed under its name",
      hostKey(),
      sealed(onionRecord()),
      /holds abcx+\.onion, no SSH host key: set generation to 2 to replace it, or give this secret another name$/,
    ],
  ])("is an error if %s", (_, wanted, state, message) => {
    expect(() => planSeal(wanted, state)).toThrow(message);
  });

  it("is an error for an onion key under whose name such a key is sealed", () => {
    expect(() => planSeal(onion(), sealed(hostKeyRecord()))).toThrow(/holds ssh-ed25519 AAAA, no onion key: /);
  });
});

describe("what seal does about a generated onion key", () => {
  it.each<[string, SealRequest, SealedState, string]>([
    ["there is none yet", onion(), nothing, "seal"],
    ["nothing changed", onion(), sealed(onionRecord()), "keep"],
    ["its generation grew", onion({ generation: 2 }), sealed(onionRecord()), "seal"],
    ["a fitting prefix is asked for", onion({ source: { onion: { prefix: "abc" } } }), sealed(onionRecord()), "keep"],
    [
      "an imported one was there",
      onion(),
      sealed(onionRecord({ source: { file: "key" }, fingerprint: "file:1" })),
      "keep",
    ],
    ["another secret was there", onion(), sealed(record()), "seal"],
    ["its record is lost", onion(), changed(), "compare"],
    ["its record is of another file", onion({ generation: 2 }), changed(onionRecord()), "compare"],
    ["its file is lost and the generation grew", onion({ generation: 2 }), gone(onionRecord()), "seal"],
    ["git has one of an older generation", onion({ generation: 2 }), inGit(1), "seal"],
    ["another secret's file was lost", onion(), gone(record()), "seal"],
    [
      "an earlier run sealed another kind of secret",
      onion({ previous: { generation: 1, fingerprint: "file:1" } }),
      nothing,
      "seal",
    ],
  ])("if %s", (_, wanted, state, plan) => {
    expect(planSeal(wanted, state)).toBe(plan);
  });

  it.each<[string, SealRequest, SealedState, RegExp]>([
    [
      "its file is lost",
      onion(),
      gone(onionRecord()),
      /is missing: restore it with git checkout -- nix\/stacks\/dev\/secret\.\*, or set generation to 2/,
    ],
    [
      "its file and record are lost, the state knows it",
      onion({ previous: { generation: 3, hostname } }),
      nothing,
      /or set generation to 4 for a new onion address/,
    ],
    ["git still has its file", onion(), inGit(1), /git has it, or set generation to 2 for a new onion address/],
    ["git has its file, of an unknown generation", onion({ generation: 5 }), inGit(), /set generation to 6/],
    ["its file is damaged", onion(), damaged, /is damaged/],
    [
      "its generation shrank",
      onion(),
      sealed(onionRecord({ generation: 2 })),
      /is of generation 2, not 1: git checkout an older .* or set generation to 2/,
    ],
    [
      "another prefix is asked for",
      onion({ source: { onion: { prefix: "tor" } } }),
      sealed(onionRecord()),
      /does not start with "tor": set generation to 2/,
    ],
  ])("is an error if %s", (_, wanted, state, message) => {
    expect(() => planSeal(wanted, state)).toThrow(message);
  });
});
