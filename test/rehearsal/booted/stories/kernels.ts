import { refusal } from "../../engine/refusal";
import type { Stage } from "../stage";
import { property, serving } from "./services";
import type { Story } from "./story";
import { firstPage, nextPage, pageFile, servesPage, update, withBack, write } from "./updates";

const link = async ({ machine }: Stage, name: string) => (await machine.run("readlink", [name])).trim();

/** What runs, what was booted, and what GRUB boots where nothing else is asked for. */
async function systems(stage: Stage): Promise<{ current: string; booted: string; standing: string }> {
  const [current, booted, standing] = await Promise.all(
    ["/run/current-system", "/run/booted-system", "/boot/default"].map((name) => link(stage, name)),
  );
  return { current: current ?? "", booted: booted ?? "", standing: standing ?? "" };
}

/** The system that the machine runs may reboot it; afterwards it may not, and all is as it was. */
function mayReboot(tell: Story["tell"]): Story["tell"] {
  return withBack(async (stage) => {
    await stage.engine.setConfig({ ...stage.config, "sealed-onion:reboot": "auto" });
    try {
      await stage.engine.up();
      await tell(stage);
    } finally {
      await stage.engine.setConfig({ ...stage.config });
    }
  });
}

export const changedKernel: Story = {
  name: "another kernel, in place: the machine reboots by itself, and up ends when it serves with it",
  isLong: true,
  tell: mayReboot(async (stage) => {
    const before = await systems(stage);
    const page = nextPage();
    write(stage, pageFile, page);
    write(stage, "extra-kernel", "next\n");
    await update(stage, page);
    const { current, booted, standing } = await systems(stage);
    if (booted === before.booted) throw new Error("the machine did not reboot");
    if (booted !== current || standing !== current)
      throw new Error(`${current} runs, ${booted} was booted, ${standing} is booted next`);
    await serving(stage, 40_000);
    await servesPage(stage, page);
  }),
};

export const panickingKernel: Story = {
  name: "a kernel that does not come up: the next start is the system before, and up says why",
  isLong: true,
  tell: mayReboot(async (stage) => {
    const { console } = stage;
    const before = await systems(stage);
    const from = console.mark();
    write(stage, pageFile, nextPage());
    write(stage, "extra-kernel", "panics\n");
    const log = await refusal(stage);
    if (!/went back from system \d+: the machine does not come up with its kernel/.test(log))
      throw new Error(`up says: ${log.slice(-1500)}`);
    const panics = console.lines.slice(from).filter((line) => line.includes("Kernel panic")).length;
    if (panics !== 1) throw new Error(`it was booted ${panics} times`);
    const { current, booted, standing } = await systems(stage);
    if (current !== before.current || standing !== before.current || booted !== before.current)
      throw new Error(
        `${current} runs, ${booted} was booted, ${standing} is booted next; before it was ${before.current}`,
      );
    await serving(stage, 40_000);
    if ((await property(stage, "update-system.timer", "ActiveState")) !== "active")
      throw new Error("nobody looks for a new system");
    await servesPage(stage, firstPage());
  }),
};
