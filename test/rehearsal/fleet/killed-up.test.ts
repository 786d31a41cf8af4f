import type { Operation } from "loopback-azure/provider/provider-faults";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { volume } from "../../volume";
import { Cleanup } from "../cleanup";
import { changesOf, RunFailed } from "../engine/engine";
import { openStage } from "../engine/open-stage";
import type { PulumiEngine } from "../engine/pulumi";
import type { Stage } from "../engine/stage";
import { canSeeProcesses } from "../engine/started-processes";
import { everythingEnds, giveUpLock, startUp, until } from "../engine/story-interruptions";
import { withConfig } from "../engine/story-tools";
import { skippedFor } from "../engine/tools";
import { type SpeakingMachines, speakForMachines } from "./speaking-machines";

const MACHINE = "Microsoft.Compute/virtualMachines";
const PER_MACHINE = [MACHINE, "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"];
const LEFT_OVER = /cannot create already existing resource '([^']+)'/;

/** Where `up` is killed: at an operation of Azure's, of which Azure has heard or not, or while it waits for a machine. */
type Step = readonly [operation: Operation, name: string, has: "heard" | "not heard"] | readonly ["wait", string];

const skipped = skippedFor("sops", "pulumi") || (canSeeProcesses ? "" : " (skipped: this system has no /proc)");

function tell(config: Record<string, string>, machines: number, all: readonly Step[]): void {
  const cleanup = new Cleanup();
  let stage: Stage<PulumiEngine>;
  let speaking: SpeakingMachines;
  let operators = 0;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), "pulumi");
    speaking = speakForMachines(stage.azure, stage.folder, stage.stack);
    cleanup.add(() => speaking.close());
    await withConfig(stage, { "sealed-onion:status": "true", "sealed-onion:authorization": "rbac", ...config });
    await stage.engine.up();
    await speaking.caughtUp();
  }, 600_000);
  afterAll(() => cleanup.run(), 60_000);

  /** Machines that have said that they serve, by role; of some there are two for a while. */
  const serving = () =>
    speaking.log.reduce((count, event) => {
      if (event.startsWith("published ")) return count + 1;
      return event.startsWith("- ") ? count - 1 : count;
    }, 0);

  /** `up` of a change that needs other machines, until it is there. */
  async function killAt(step: Step): Promise<void> {
    const [operation, name] = step;
    const held =
      operation === "wait" ? undefined : stage.faults.hold({ operation, name, afterwards: step[2] === "heard" });
    speaking.hush(operation === "wait" ? name : undefined);
    const up = startUp(stage);
    try {
      const reached = held ? held.reached : until(`${name} is made`, () => speaking.log.includes(`+ ${name}`));
      await Promise.race([reached, up.ended.then(() => Promise.reject(new Error(`up has ended:\n${up.text()}`)))]);
      up.strike("SIGKILL");
      await up.ended;
      await everythingEnds(stage, "SIGKILL");
    } finally {
      up.strike("SIGKILL");
      held?.release();
      speaking.hush(undefined);
    }
    await giveUpLock(stage);
  }

  /** The next `up`; what Azure has made without Pulumi's knowledge is named, and goes by hand. */
  async function goOn(): Promise<number> {
    for (let byHand = 0; ; byHand++) {
      const run: unknown = await stage.engine.up().catch((error: unknown) => error);
      if (!(run instanceof RunFailed)) return byHand;
      const [, left = ""] = LEFT_OVER.exec(run.run.log) ?? [];
      expect(left, run.run.log.slice(-3000)).not.toBe("");
      expect(stage.azure.cloud.remove(left)).not.toEqual([]);
    }
  }

  const some = volume({ usual: 3, long: all.length });
  const steps = all.filter((_, index) => index % Math.ceil(all.length / some) === 0);
  it.each(steps)(
    "killed at: %s %s, Azure has %s: what served serves on, and the next up ends it",
    async (...step) => {
      const before = serving();
      speaking.log.splice(0);
      speaking.log.push(...Array.from({ length: before }, (_, index) => `published before-${index}`));
      await withConfig(stage, { "sealed-onion:adminUser": `operator${operators++}` });
      await killAt(step as unknown as Step);
      await speaking.caughtUp();
      expect(serving()).toBeGreaterThanOrEqual(machines);
      const byHand = await goOn();
      await speaking.caughtUp();
      expect(byHand).toBe(step[0] === "create" && step[2] === "heard" ? 1 : 0);
      expect(fewest(speaking.log)).toBeGreaterThanOrEqual(machines);
      expect(PER_MACHINE.map((type) => stage.azure.cloud.list({ type }).length)).toEqual(Array(3).fill(machines));
      expect(changesOf(await stage.engine.up())).toEqual([]);
    },
    600_000,
  );
}

/** How many machines served at the least. */
function fewest(log: readonly string[]): number {
  let [now, least] = [0, Number.POSITIVE_INFINITY];
  for (const event of log) {
    if (event.startsWith("published ")) now++;
    if (event.startsWith("- ")) least = Math.min(least, --now);
  }
  return Math.min(least, now);
}

const ofMachine = (name: string, role: string): Step[] => [
  ["create", `${name}-machine`, "heard"],
  ["wait", role],
  ["delete", `${name}-machine`, "heard"],
  ["create", `${name}-address`, "not heard"],
  ["create", `${name}-machine`, "not heard"],
  ["delete", `${name}-machine`, "not heard"],
];

describe.skipIf(skipped)(`pulumi up of another machine, killed${skipped}`, () => {
  tell({}, 1, [
    ...ofMachine("vm", "machine"),
    ["create", "vm-address", "heard"],
    ["create", "vm-card", "heard"],
    ["create", "vm-card", "not heard"],
    ["delete", "vm-card", "heard"],
    ["delete", "vm-address", "heard"],
  ]);
});

describe.skipIf(skipped)(`pulumi up of several other machines, killed${skipped}`, () => {
  const fleet = { "sealed-onion:replicas": "2", "sealed-onion:zones": "[1,2]" };
  tell(fleet, 3, [...ofMachine("vm-replica-2", "replica-2"), ...ofMachine("vm-front-end-1", "front-end-1")]);
});
