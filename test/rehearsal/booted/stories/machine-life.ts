import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../console";
import type { Stage } from "../stage";
import { property, serving } from "./services";
import type { Story } from "./story";

/** The address that tor made of the key. */
async function servesItsAddress({ machine, facts }: Stage): Promise<void> {
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

const cuts = 30;

/** The plug is pulled at random moments of the first minute; what was not yet on the disk is lost. */
export const powerCuts: Story = {
  name: `${cuts} power cuts in the first minute`,
  isLong: true,
  async tell(stage) {
    const { machine, folders } = stage;
    for (let cut = 1; cut <= cuts; cut++) {
      // Most of what happens, happens in the first seconds.
      const waitMs = 60_000 * Math.random() ** 4;
      await sleep(waitMs);
      const copy = path.join(folders.disks, `cut-${cut % 2}.vhd`);
      await machine.cutPower(copy);
      await machine.switchOn(copy);
      fs.rmSync(path.join(folders.disks, `cut-${(cut + 1) % 2}.vhd`), { force: true });
      await serving(stage, 60_000).catch((error: Error) => {
        throw new Error(`after power cut ${cut}, ${Math.round(waitMs)} ms after the start before: ${error.message}`);
      });
      await servesItsAddress(stage);
      await machine.reboot();
    }
    await serving(stage, 40_000);
  },
};
