import { createHash, randomBytes } from "node:crypto";
import type { Stage } from "../stage";
import { property, serving } from "./services";
import type { Story } from "./story";
import { lookAtUserData, sealed, setUserData } from "./user-data";

/** Somebody else's whole key: tor's header, and a clamped scalar with its prefix. */
function foreignKey(): Buffer {
  const expanded = createHash("sha512").update(randomBytes(32)).digest();
  expanded[0] = (expanded[0] ?? 0) & 248;
  expanded[31] = ((expanded[31] ?? 0) & 63) | 64;
  return Buffer.concat([Buffer.from("== ed25519v1-secret: type0 ==\0\0\0"), expanded]);
}

async function tellOf(stage: Stage, key: Buffer, said: RegExp): Promise<void> {
  const { console } = stage;
  const from = console.mark();
  const restore = setUserData(stage, { onion: await sealed(stage, "onion", key) });
  try {
    await lookAtUserData(stage);
    await console.seen(said, { from, withinMs: 30_000 });
    const state = await property(stage, "tor.service", "ActiveState");
    if (state === "active") throw new Error("tor runs with a key that is not the declared address's");
  } finally {
    restore();
    await lookAtUserData(stage);
  }
  await serving(stage, 30_000);
}

export const foreignOnionKey: Story = {
  name: "somebody else's onion key: tor stays down and says so",
  tell: (stage) => tellOf(stage, foreignKey(), /sealed-onion: (tor stays down|onion service site).*/),
};

export const damagedOnionKey: Story = {
  name: "a damaged onion key: tor stays down and says so",
  isLong: true,
  tell: (stage) =>
    tellOf(stage, foreignKey().subarray(0, 60), /sealed-onion: onion service site stays down: .*60 bytes/),
};
