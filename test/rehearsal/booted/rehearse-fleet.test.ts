import { spawn } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { isLong } from "../../volume";
import type { FleetReport } from "../replicas/report";
import { cannotBoot } from "./boot-inside";

// Minutes on two cores: each night.
const reason = isLong ? cannotBoot() : "it takes minutes: type npm test -- --long";
const unless = reason === undefined ? "" : ` (skipped: ${reason})`;

describe.skipIf(reason !== undefined)(`npm run rehearse -- --boot --replicas 3${unless}`, () => {
  let report: FleetReport;
  let said = "";
  let code: number | null;

  beforeAll(async () => {
    const program = ["components/start/run.mjs", "test/rehearsal/rehearse.ts", "--boot", "--replicas", "3", "--json"];
    const child = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    code = await new Promise((resolve) => child.once("close", resolve));
    report = JSON.parse(said.trim().split("\n").at(-1) ?? "");
  }, 1_800_000);

  it("has three booted machines serve one address, each its share", () => {
    expect(report, said).toMatchObject({ guest: "booted", replicas: 3 });
    expect(Object.keys(report.spread).sort(), said).toEqual(["replica-1", "replica-2", "replica-3"]);
  });

  it.each([
    "each opens its own key, and is answered 403 for the address's",
    "spread",
    "one switches itself off, and on again",
    "one's power is cut, and it comes back",
  ])("%s: no fetch fails", (name) => {
    expect(
      report.stories.find((story) => story.name === name),
      said,
    ).toMatchObject({ ok: true });
    expect(report.failedFetches[name]).toBe(0);
  });

  it("finds no plaintext, and says that the front end is light", () => {
    expect(report, said).toMatchObject({ leaks: [], canaryFound: true, ok: true });
    expect(report.skipped.join("\n")).toContain("skipped: a booted front end: ");
    expect(code).toBe(0);
  });
});
