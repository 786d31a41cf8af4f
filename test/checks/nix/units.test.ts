import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import type { Unit } from "./evaluate";
import { exposures, tooExposed, verifyUnits, writeUnits } from "./units";

const noSystemd = !findOnPath("systemd-analyze");

function unit(text: string): Unit {
  return { text, wantedBy: ["multi-user.target"], requiredBy: [], overrideStrategy: "asDropinIfExists" };
}

const service = "[Service]\nExecStart=/nix/store/0123456789abcdfghijklmnpqrsvwxyz-tor/bin/tor -f torrc\n";

describe("rendered units", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "units-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("are written with a program that is here, and linked from what wants them", () => {
    writeUnits({ "a.service": unit(service) }, folder);
    expect(fs.readFileSync(path.join(folder, "a.service"), "utf8")).toBe("[Service]\nExecStart=/bin/true -f torrc\n");
    expect(fs.readlinkSync(path.join(folder, "multi-user.target.wants", "a.service"))).toBe("../a.service");
  });

  it("that only add to another are left out where that one is not here", () => {
    writeUnits({ "only-in-the-guest.service": unit("[Service]\nRestart=always\n") }, folder);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it.skipIf(noSystemd)("that wait for each other are found (skipped without systemd-analyze)", async () => {
    writeUnits({ "a.service": unit(`[Unit]\nAfter=b.service\n${service}`), "b.service": unit(service) }, folder);
    expect(await verifyUnits(folder, ["a.service"])).toEqual([]);
    writeUnits({ "c.service": unit(`[Unit]\nAfter=d.service\n${service}`) }, folder);
    writeUnits({ "d.service": unit(`[Unit]\nAfter=c.service\n${service}`) }, folder);
    expect((await verifyUnits(folder, ["c.service"])).join("\n")).toMatch(/ordering cycle/);
  });

  it.skipIf(noSystemd)(
    "are measured, and refused where they are exposed (skipped without systemd-analyze)",
    async () => {
      writeUnits({ "a.service": unit(service) }, folder);
      const found = await exposures(folder, ["a.service"]);
      expect(tooExposed(found)).toEqual([`a.service has exposure ${found.get("a.service")}, at most 2.5 is allowed`]);
      expect(tooExposed(new Map([["b.service", 2.5]]))).toEqual([]);
    },
  );
});
