import { describe, expect, it } from "vitest";
import { awaited } from "../../../../components/vm/status/awaited";
import type { MachineStatus, UpdateStatus } from "../../../../components/vm/status/machine-status";
import { exampleStatus } from "./example-status";

const NOW = new Date();
const { system } = exampleStatus();
const RELEASE = { path: system, generation: 7, signature: "" };
const update = (change: Partial<UpdateStatus> = {}): UpdateStatus => ({
  ...{ generation: 7, path: system, outcome: "running", why: "", at: "2026-06-01T00:00:00Z" },
  ...change,
});

describe("what up waits for", () => {
  it.each([
    ["runs what it is asked for", update(), { isRunning: true }],
    ["has not looked yet", null, { problem: expect.stringContaining("has not seen system 7 yet") }],
    [
      "runs the system before",
      update({ generation: 6 }),
      { problem: expect.stringContaining("has not seen system 7") },
    ],
    ["tries", update({ outcome: "trying" }), { problem: "system 7 is not running yet" }],
    ["waits", update({ outcome: "waiting", why: "no way" }), { problem: "system 7 is not running yet: no way" }],
    [
      "refuses",
      update({ outcome: "refused", why: "not signed" }),
      { problem: "refuses system 7: not signed", isFinal: true },
    ],
    [
      "went back",
      update({ outcome: "went back", why: "no tor" }),
      { problem: "went back from system 7: no tor", isFinal: true },
    ],
  ] as const)("of a machine that %s", (_, known, expected) => {
    expect(awaited("web", exampleStatus({ update: known }), RELEASE, NOW)).toEqual(expected);
  });

  it("is not over where it runs another system all the same, or does not serve", () => {
    const elsewhere = { ...RELEASE, path: "/nix/store/other" };
    expect(awaited("web", exampleStatus({ update: update() }), elsewhere, NOW).problem).toContain("is not running yet");
    const torless = exampleStatus({ update: update(), tor: { state: "failed", version: "1" } });
    expect(awaited("web", torless, RELEASE, NOW)).toEqual({
      problem: "tor is failed: it has not started yet",
      isRunning: true,
    });
  });

  it("is a word of a machine that has become silent", () => {
    const written = new Date(NOW.getTime() - 16 * 60_000).toISOString();
    const silent = exampleStatus({ update: update({ generation: 6 }), written });
    expect(awaited("web", silent, RELEASE, NOW).problem).toContain("has said nothing for 16 minutes");
  });

  it("is over with a warning where nobody listens behind an address, and nobody did before", () => {
    const why = "service site, as before: nothing listens at X";
    const { site } = exampleStatus().services;
    const services = { site: { ...site, silent: "nothing listens at X" } } as MachineStatus["services"];
    const of = (change: Partial<MachineStatus>) => awaited("web", exampleStatus(change), RELEASE, NOW);
    expect(of({ update: update({ why }), services })).toEqual({ warning: why });
    expect(of({ update: update(), services }).problem).toBe("service site: nothing listens at X");
    const tor = { state: "failed", version: "1" };
    expect(of({ update: update({ why }), services, tor }).problem).toContain("tor is failed");
  });

  it("without systems in place is that it serves", () => {
    expect(awaited("web", exampleStatus(), undefined, NOW)).toEqual({});
    expect(awaited("web", undefined, undefined, NOW).problem).toBe("web has not said anything yet");
  });
});
