import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parseTags } from "../../../components/azure/tags";
import { LIVE_TAG, livePlan, planText } from "./plan";

const NOW = new Date("2026-01-02T03:00:00Z");

describe("what a live rehearsal makes", () => {
  it("has a resource group, a name and a time limit of its own", () => {
    const [plan, other] = [livePlan("westeurope", undefined, NOW), livePlan("westeurope", undefined, NOW)];
    expect(plan.stack).toMatch(/^live-[0-9a-f]{6}x$/);
    expect(plan.resourceGroup).toBe(`sealed-onion-${plan.stack}-westeurope`);
    expect(plan.stack).not.toBe(other.stack);
    expect(plan.expires.toISOString()).toBe("2026-01-02T05:00:00.000Z");
    const tags = parseTags({ value: JSON.parse(plan.config["sealed-onion:tags"] ?? ""), path: "tags" });
    expect(tags).toEqual({ [LIVE_TAG]: "2026-01-02T05:00:00.000Z" });
    expect(plan.config["sealed-onion:image"]).toBeUndefined();
    expect(livePlan("westeurope", "/d.vhd", NOW).config["sealed-onion:image"]).toBe('{"vhd":"/d.vhd"}');
  });

  it("is told with where, for how long and for how much, before it starts", () => {
    const plan = livePlan("northeurope", undefined, NOW);
    const text = planText(plan, "sub-id", "somebody");
    expect(text).toContain("in subscription sub-id, as somebody:");
    expect(text).toContain(`resource group ${plan.resourceGroup} in northeurope`);
    expect(text).toMatch(/ {2}VM, Standard_B2s: \d+(\.\d+)? USD a month/);
    expect(text).toMatch(/at most 2 hours: about 0\.\d\d USD an hour/);
    expect(text).toContain("npm run rehearse -- --live --clean");
    expect(text).not.toMatch(/NaN|undefined/);
  });
});

describe("npm run rehearse -- --live", () => {
  it.each([
    [["--clean"], "--clean is for a live rehearsal: add --live"],
    [["--region", "westeurope"], "--region is for a live rehearsal: add --live"],
    [["--live", "--boot"], "--live goes without --boot: leave one of them out"],
  ])("refuses %s", (words, message) => {
    const argv = ["components/start/run.mjs", "test/rehearsal/rehearse.ts", ...words];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});
