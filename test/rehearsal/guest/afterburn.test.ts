import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Rig, startRig } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRunAfterburn, runAfterburn } from "./afterburn";
import { checkIn } from "./check-in";
import { readEvaluatedGuest } from "./evaluated";

describe.skipIf(!canRunAfterburn())("afterburn, called as the modules call it (skipped without it)", () => {
  let rig: Rig;
  let machine: Machine;
  beforeAll(async () => {
    rig = await startRig();
    machine = await rig.azure.bootMachine(rig.ids.machine);
  });
  afterAll(async () => {
    await machine.close();
    await rig.close();
  });

  it("reports the machine ready", async () => {
    expect(await checkIn(machine)).toBe("afterburn");
    expect(machine.provisioning().state).toBe("Succeeded");
  });

  it("writes the machine's name where the next program reads it", async () => {
    const [fetch = [], set = []] = readEvaluatedGuest().hostname.arguments;
    const file = fetch.at(-1) ?? "";
    expect(set).toEqual(["hostname", "--file", file]);
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "hostname-"));
    try {
      const moved = path.join(directory, "name"); // its own /run is a memory file system that nobody else sees
      await runAfterburn(machine, [...fetch.slice(0, -1), moved]);
      expect(fs.readFileSync(moved, "utf8").trim()).toBe(rig.cloud.get(rig.ids.machine)?.name);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });
});
