import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../console";
import type { Stage } from "../stage";
import { property, serving } from "./services";
import type { Story } from "./story";

/** The address that tor made of the key. */
export async function servesItsAddress({ machine, facts }: Stage): Promise<void> {
  const [service] = Object.values(facts.services);
  await until(async () => {
    const found = (await machine.run("cat", ["/run/tor/onion/site/hostname"])).trim();
    if (found !== service?.hostname) throw new Error(`tor serves ${found}, declared is ${service?.hostname}`);
    return true;
  }, 10_000);
}

export const reboot: Story = {
  name: "a reboot",
  isLong: true,
  async tell(stage) {
    await stage.machine.reboot();
    await serving(stage, 40_000);
    await servesItsAddress(stage);
  },
};

export const isolated: Story = {
  name: "systemctl isolate, and back",
  isLong: true,
  async tell(stage) {
    const { machine } = stage;
    await machine.run("systemctl", ["--no-block", "isolate", "rescue.target"]);
    await until(async () => (await property(stage, "tor.service", "ActiveState")) === "inactive", 20_000);
    await machine.run("systemctl", ["--no-block", "isolate", "multi-user.target"]);
    await serving(stage, 40_000);
  },
};

export const fullDisk: Story = {
  name: "a full disk, and a reboot with it",
  isLong: true,
  async tell(stage) {
    const { machine } = stage;
    await machine.run("sh", ["-c", "cat /dev/zero >/var/filler 2>/dev/null || true"]);
    await machine.reboot();
    await serving(stage, 40_000);
    await servesItsAddress(stage);
    await machine.run("rm", ["/var/filler"]);
  },
};

const CUTS = 30;

/** The plug is pulled, and put in again: what was not yet on the disk is lost. */
export async function cutPower({ machine, folders }: Stage): Promise<void> {
  const before = machine.disk;
  const disk = path.join(folders.disks, path.basename(before) === "cut-0.vhd" ? "cut-1.vhd" : "cut-0.vhd");
  await machine.cutPower(disk);
  fs.rmSync(before, { force: true });
  await machine.switchOn(disk);
}

/** The plug is pulled at random moments of the first minute. */
export const powerCuts: Story = {
  name: `${CUTS} power cuts in the first minute`,
  isLong: true,
  async tell(stage) {
    const moments: number[] = [];
    while (moments.length < CUTS) {
      // Most of what happens, happens in the first seconds; the last moments are late ones.
      const moment = 60_000 * Math.random() ** 8;
      await sleep(moment);
      moments.push(Math.round(moment));
      await cutPower(stage);
      if (moments.length % 2 === 1) continue; // once more, as early as that may be
      await serving(stage, 60_000).catch((error: Error) => {
        throw new Error(`after power cuts ${moments.slice(-2).join(" and ")} ms after a start: ${error.message}`);
      });
      await servesItsAddress(stage);
    }
  },
};
