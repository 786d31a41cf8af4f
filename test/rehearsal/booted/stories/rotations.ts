import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../console";
import type { Stage } from "../stage";
import { property, SITE } from "./services";
import type { Story } from "./story";
import { lookAtUserData, setUserData } from "./user-data";

/** SHA-256 of a secret as the machine has it open. */
export async function openDigest({ machine }: Stage, name: string): Promise<string> {
  return (await machine.run("sha256sum", [`/run/secrets/${name}`])).slice(0, 64);
}

export function digest(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** systemd's own message "a unit was started" (sd-messages.h). */
const STARTED = "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf";

/** How often a unit has been started since the machine's start, by its journal. */
export async function starts({ machine }: Stage, unit: string): Promise<number> {
  const filter = ["--quiet", "--boot", "--output=cat", STARTED, `UNIT=${unit}`];
  return (await machine.run("journalctl", filter)).split("\n").filter(Boolean).length;
}

/** The owner rotates a secret and types `pulumi up`: the running machine has it, and only its consumer restarts. */
export const rotated: Story = {
  name: "a secret rotated by pulumi up, its consumer restarted once",
  async tell(stage) {
    const token = `token-${randomBytes(24).toString("hex")}`;
    const tor = await property(stage, "tor.service", "InvocationID");
    const before = await starts(stage, SITE);
    fs.writeFileSync(path.join(stage.folders.sources, "token"), token, { mode: 0o600 });
    stage.plaintexts.push({ name: "rotated token", bytes: Buffer.from(token) });
    await stage.engine.up();
    await until(async () => {
      await lookAtUserData(stage);
      return (await openDigest(stage, "token")) === digest(token);
    }, 20_000);
    await until(async () => (await starts(stage, SITE)) > before, 10_000);
    const after = await starts(stage, SITE);
    if (after !== before + 1) throw new Error(`${SITE} was started ${after - before} times for one new secret`);
    if ((await property(stage, "tor.service", "InvocationID")) !== tor)
      throw new Error("tor was restarted, whose key is the same");
  },
};

/** What user data replaced comes back when it goes away: the image's own. */
export const takenBack: Story = {
  name: "user data taken away: the image's own secret is back",
  async tell(stage) {
    const rotatedDigest = await openDigest(stage, "token");
    const restore = setUserData(stage, {});
    try {
      await until(async () => {
        await lookAtUserData(stage);
        return (await openDigest(stage, "token")) !== rotatedDigest;
      }, 20_000);
    } finally {
      restore();
    }
    await until(async () => {
      await lookAtUserData(stage);
      return (await openDigest(stage, "token")) === rotatedDigest;
    }, 20_000);
  },
};
