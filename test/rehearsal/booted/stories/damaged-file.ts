import type { Stage } from "../stage";
import { active, property, SITE, serving } from "./services";
import type { Story } from "./story";
import { manifestOf } from "./switches";
import { withoutUserData } from "./user-data";

/** The sealed file of the system that runs, with a data key that nobody wrapped. */
async function damage(stage: Stage): Promise<() => Promise<string>> {
  const { machine } = stage;
  const manifest = JSON.parse(await machine.run("cat", [await manifestOf(stage)]));
  const file: string = manifest.secrets.find(({ name }: { name: string }) => name === "token").sopsFile;
  const whole = await machine.run("cat", [file]);
  const sealed = JSON.parse(whole);
  sealed.sops.azure_kv[0].enc = Buffer.from("no wrapped key").toString("base64url");
  const write = (text: string) => machine.run("tee", [file], { input: Buffer.from(text) });
  await write(JSON.stringify(sealed));
  return () => write(whole);
}

/** One sealed file does not open: a unit that needs another one serves, and a unit that needs this one waits for it. */
export const damagedFile: Story = {
  name: "one damaged sealed file: the others open, the onion among them",
  isLong: true,
  tell: (stage) =>
    withoutUserData(stage, async () => {
      const { machine, console } = stage;
      const restore = await damage(stage);
      const from = console.mark();
      try {
        await machine.reboot();
        await console.seen(/some secrets are still sealed, the others are open: token \(/, { from, withinMs: 30_000 });
        await active(stage, ["tor.service"], 20_000);
        const site = await property(stage, SITE, "ActiveState");
        if (site !== "inactive") throw new Error(`the site, which needs the token, is ${site}`);
      } finally {
        await restore();
      }
      await serving(stage, 60_000);
      await console.seen(/sealed-onion: the secrets are open/, { from, withinMs: 10_000 });
    }),
};
