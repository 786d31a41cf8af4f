import { setTimeout as sleep } from "node:timers/promises";
import { volume } from "../../../volume";
import { addresses } from "../network";
import { bootAgain, type Stage } from "../stage";
import { succeed } from "../succeed";
import { sendVisitor } from "../visitor";
import { address } from "./access";
import { cutPower } from "./machine-life";
import { serving } from "./services";
import type { Story } from "./story";
import { nextPage, pageFile, servesPage, withBack, write } from "./updates";

/** From `up` until the new system is accepted, and a little more. */
const UPDATE_MS = 15_000;
const cuts = volume({ usual: 3, long: 50 });

/** Whatever is served while `work` lasts is one of these pages. */
async function servesOnly(stage: Stage, pages: readonly string[], work: () => Promise<void>): Promise<void> {
  const visitor = sendVisitor(stage.tor, `http://${address(stage)}/`);
  const failure: unknown = await work().catch((error: unknown) => error);
  const { visits } = await visitor.leave();
  const other = visits.find(({ page }) => page !== undefined && !pages.includes(page));
  if (other) throw new Error(`it served a third page: ${other.page?.slice(0, 80)}`);
  if (failure !== undefined) throw failure;
}

export const oldImage: Story = {
  name: "a machine of the old image serves nothing but the newest page",
  isLong: true,
  tell: withBack(async (stage) => {
    const page = nextPage();
    write(stage, pageFile, page);
    await stage.engine.up();
    await servesPage(stage, page);
    await stage.machine.switchOff();
    await servesOnly(stage, [page], async () => {
      await bootAgain(stage);
      await serving(stage, 90_000);
      await servesPage(stage, page);
    });
  }),
};

/** The same unit under another name looks while the machine is on trial. */
export const updatedTwice: Story = {
  name: "two updates at once: one is made, once",
  isLong: true,
  tell: withBack(async (stage) => {
    const { console, machine } = stage;
    const unit = "/etc/systemd/system/update-system.service";
    await machine.run("cp", [unit, "/run/systemd/system/second-look.service"]);
    await machine.run("systemctl", ["daemon-reload"]);
    const from = console.mark();
    const page = nextPage();
    write(stage, pageFile, page);
    const looks = { ended: false };
    const done = stage.engine.up().finally(() => {
      looks.ended = true;
    });
    while (!looks.ended) {
      await machine.run("systemctl", ["start", "second-look.service"]);
      await sleep(200);
    }
    await done;
    const tried = console.lines.slice(from).filter((line) => / system \d+ trying/.test(line)).length;
    if (tried !== 1) throw new Error(`it was tried ${tried} times`);
    await servesPage(stage, page);
  }),
};

/** Nothing comes back to the machine for a while. */
async function loseNetwork(): Promise<void> {
  const lost = ["blackhole", `${addresses.machine}/32`];
  await succeed("ip", ["route", "add", ...lost]);
  await sleep(8_000);
  await succeed("ip", ["route", "del", ...lost]);
}

const interruptions: readonly (readonly [what: string, happens: (stage: Stage) => Promise<void>])[] = [
  ["power cut", cutPower],
  ["reboot", ({ machine }) => machine.reboot()],
  ["lost network", loseNetwork],
  ["power cut", cutPower],
  ["power cut", cutPower],
];

/** `up` is typed once: it ends well, however the machine was interrupted. */
async function interruptedOnce(stage: Stage, round: number, pages: readonly [string, string]): Promise<void> {
  const [what, happens] = interruptions[round % interruptions.length] ?? ["nothing", async () => {}];
  const moment = Math.round(UPDATE_MS * Math.random());
  const interrupted = async () => {
    const done = stage.engine.up();
    done.catch(() => {}); // it is awaited below
    await sleep(moment);
    await happens(stage);
    await done;
    await servesPage(stage, pages[1]);
  };
  await servesOnly(stage, pages, interrupted).catch((error: Error) => {
    throw new Error(`a ${what} ${moment} ms after up: ${error.message}`);
  });
}

export const cutUpdates: Story = {
  name: `${cuts} interruptions of updates, power, reboot, network in turns: the old page or the new, then the new`,
  isLong: true,
  tell: withBack(async (stage) => {
    let before = nextPage();
    write(stage, pageFile, before);
    await stage.engine.up();
    for (let round = 0; round < cuts; round += 1) {
      const page = nextPage();
      write(stage, pageFile, page);
      await interruptedOnce(stage, round, [before, page]);
      before = page;
    }
  }),
};
