import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../console";
import { servesItsAddress } from "./machine-life";
import { digest, openDigest } from "./rotations";
import { active, serving } from "./services";
import type { Story } from "./story";
import { lookAtUserData, putUserData } from "./user-data";

/** All that tor has on the disk, each file as long as before: a file system that came back from a crash with other blocks. */
export const damagedTorState: Story = {
  name: "what tor keeps on its disk is garbage after a restart: it serves at its address",
  isLong: true,
  async tell(stage) {
    const { machine } = stage;
    const overwrite = 'find /var/lib/tor -type f | while read -r file; do head -c 4096 /dev/urandom >"$file"; done';
    await machine.run("sh", ["-c", `systemctl stop tor.service; ${overwrite}`]);
    await machine.reboot();
    await serving(stage, 60_000);
    await servesItsAddress(stage);
  },
};

/** 64 KiB, the most that Azure takes, and nothing that a machine could want. */
export const garbageUserData: Story = {
  name: "user data of 64 KiB that is garbage, at a boot: refused on the console, and what it served it serves",
  isLong: true,
  async tell(stage) {
    const { console, machine } = stage;
    const from = console.mark();
    const restore = putUserData(stage, randomBytes(48 * 1024).toString("base64"));
    try {
      await machine.reboot();
      await console.seen(/sealed-onion: system \d+ refused: its user data is not/, { from, withinMs: 30_000 });
      await active(stage, ["sops-install-secrets.service", "tor.service"], 40_000);
      await servesItsAddress(stage);
    } finally {
      restore();
    }
    await lookAtUserData(stage);
    await serving(stage, 40_000);
  },
};

/** Rotates the token while no byte more fits into /run; what was open stays open, and what is new comes when there is room. */
export const fullMemory: Story = {
  name: "a full /run while a secret is rotated: the one before stays, and the new one comes once there is room",
  isLong: true,
  async tell(stage) {
    const { console, engine, folders, machine, plaintexts } = stage;
    const token = `token-${randomBytes(24).toString("hex")}`;
    plaintexts.push({ name: "token of a full /run", bytes: Buffer.from(token) });
    const own = await openDigest(stage, "token");
    const used = Number((await machine.run("df", ["--block-size=1K", "--output=used", "/run"])).split("\n")[1]);
    const from = console.mark();
    await machine.run("mount", ["-o", `remount,size=${used + 64}k`, "/run"]);
    try {
      await machine.run("sh", ["-c", "cat /dev/zero >/run/filler 2>/dev/null || true"]);
      fs.writeFileSync(path.join(folders.sources, "token"), token, { mode: 0o600 });
      await engine.up();
      await lookAtUserData(stage);
      if ((await openDigest(stage, "token")) !== own) throw new Error("the token is another one, though nothing fits");
      await console.seen(/sealed-onion: user data is left alone: .*/, { from, withinMs: 10_000 });
    } finally {
      await machine.run("sh", ["-c", "rm -f /run/filler; mount -o remount,size=75% /run"]);
    }
    await until(async () => {
      await lookAtUserData(stage);
      return (await openDigest(stage, "token")) === digest(token);
    }, 30_000);
    await serving(stage, 40_000);
  },
};
