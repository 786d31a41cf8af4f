import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../console";
import type { Stage } from "../stage";
import { page, ssh } from "./access";
import { servesItsAddress } from "./machine-life";
import { rotated, takenBack } from "./rotations";
import { serving } from "./services";
import type { Story } from "./story";
import { damagedOnionKey, foreignOnionKey } from "./wrong-keys";

/** The console says a thing about tor once: it must have said that all is well before it can say the same trouble again. */
async function published({ console }: Stage): Promise<void> {
  const last = () =>
    console.lines.filter((line) => /sealed-onion: (published|tor stays|onion service)/.test(line)).at(-1);
  await until(() => last()?.includes("published") === true, 40_000);
}

/** Those that do not restart the machine themselves. */
const quiet = [page, ssh, rotated, takenBack, foreignOnionKey, damagedOnionKey];

/** However far each has come: the machine comes up whole, and then the story holds as before. */
export const interrupted: Story = {
  name: "a reboot in the middle of each",
  isLong: true,
  async tell(stage) {
    for (const { name, tell } of quiet) {
      const cutShort = tell(stage).catch(() => undefined); // the machine goes away under it
      const moment = 3_000 * Math.random();
      await sleep(moment);
      await stage.machine.reboot();
      await cutShort;
      const whole = async () => {
        await serving(stage, 60_000);
        await servesItsAddress(stage);
        await published(stage);
        await tell(stage);
      };
      await whole().catch((error: Error) => {
        throw new Error(`'${name}', with a reboot after ${Math.round(moment)} ms: ${error.message}`);
      });
    }
  },
};
