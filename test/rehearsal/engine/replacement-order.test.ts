import { quotaExceeded } from "loopback-azure/provider/provider-faults";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { changesOf, RunFailed } from "./engine";
import { openStage } from "./open-stage";
import type { Stage } from "./stage";
import type { Engines } from "./start-engine";
import { NEW_VM, withConfig } from "./story-tools";
import { skippedFor } from "./tools";

const MACHINE = "Microsoft.Compute/virtualMachines";
const DISK = "Microsoft.Compute/disks";
/** What is made for one machine. */
const PER_MACHINE = [MACHINE, "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"];

type Step = readonly [operation: "create" | "delete", name: string];

const ALL: readonly Step[] = [
  ["create", "vm-address"],
  ["create", "vm-card"],
  ["create", "vm-machine"],
  ["delete", "vm-machine"],
  ["delete", "vm-card"],
  ["delete", "vm-address"],
];

function tell(name: keyof Engines, steps: readonly Step[]): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  let operators = 0;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), name);
    await stage.engine.up();
  }, 300_000);
  afterAll(() => cleanup.run(), 60_000);

  const all = (type: string) => stage.azure.cloud.list({ type });
  /** Another machine is needed. */
  const change = () => withConfig(stage, { "sealed-onion:adminUser": `operator${operators++}` });

  /** How many machines there were at the least, while this went on. */
  async function fewest(work: () => Promise<unknown>): Promise<number> {
    let least = all(MACHINE).length;
    const end = stage.azure.cloud.onChange(() => {
      least = Math.min(least, all(MACHINE).length);
    });
    await work().finally(end);
    return least;
  }

  async function settled(): Promise<void> {
    expect(await fewest(() => stage.engine.up())).toBeGreaterThan(0);
    expect(PER_MACHINE.map((type) => all(type).length)).toEqual([1, 1, 1]);
    expect(changesOf(await stage.engine.up())).toEqual([]);
  }

  it("the new machine is there before the old one goes", async () => {
    await change();
    let run: Awaited<ReturnType<Stage["engine"]["up"]>> | undefined;
    const least = await fewest(async () => {
      run = await stage.engine.up();
    });
    expect(least).toBe(1);
    expect(run && changesOf(run)).toEqual(expect.arrayContaining(NEW_VM));
    expect(all(MACHINE)).toHaveLength(1);
  }, 300_000);

  it.each(steps)(
    "Azure refuses to %s %s: a machine is there all the time, and the next up ends what is left over",
    async (operation, role) => {
      const [before] = all(MACHINE);
      await change();
      const fault = stage.faults.add({ operation, name: role, error: quotaExceeded("westeurope", 4) });
      const least = await fewest(() => expect(stage.engine.up()).rejects.toThrow(RunFailed));
      expect(fault.hits).toBe(1);
      expect(least).toBe(1);
      if (operation === "create") expect(all(MACHINE).map(({ id }) => id)).toContain(before?.id);
      await settled();
    },
    300_000,
  );

  it("a machine with a data disk goes first, the next one gets the disk, and only destroy deletes it", async () => {
    await withConfig(stage, { "sealed-onion:dataDisk": JSON.stringify({ sizeGib: 8 }) });
    await stage.engine.up();
    const [disk] = all(DISK).filter(({ name: disk }) => disk.endsWith("-data"));
    await change();
    expect(await fewest(() => stage.engine.up())).toBe(0);
    const [machine] = all(MACHINE);
    expect(machine?.properties).toMatchObject({
      storageProfile: { dataDisks: [{ lun: 0, managedDisk: { id: disk?.id } }] },
    });
    await withConfig(stage, { "sealed-onion:dataDisk": "{}" });
    await stage.engine.up();
    expect(stage.azure.cloud.get(disk?.id ?? "")).toBeDefined();
    await stage.engine.destroy();
    expect(stage.azure.cloud.get(disk?.id ?? "")).toBeUndefined();
  }, 600_000);
}

const alone = skippedFor("sops");
const both = skippedFor("sops", "pulumi");

describe.skipIf(alone)(`another machine, under the engine in process${alone}`, () => tell("in-process", ALL));

// Some steps: each is three updates of a real engine.
describe.skipIf(both)(`another machine, under Pulumi's own engine${both}`, () =>
  tell("pulumi", [
    ["create", "vm-machine"],
    ["delete", "vm-machine"],
  ]),
);
