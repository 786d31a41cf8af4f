import type { FaultRule } from "loopback-azure/gateway/faults";
import type { Stage } from "../stage";
import { serving } from "./services";
import type { Story } from "./story";

/** From the start of a boot to the first line of what keeps it. */
const FIRST_LINE_MS = 30_000;

/** Boots while Azure fails in one way: the console says so, and all starts by itself once Azure is well. */
async function bootWith(stage: Stage, rule: FaultRule, said: RegExp): Promise<void> {
  const { azure, platform, machine, console } = stage;
  const from = console.mark();
  const fault = azure.faults.add({ ...rule, via: platform.vmId });
  try {
    await machine.reboot();
    await console.seen(said, { from, withinMs: FIRST_LINE_MS });
  } finally {
    fault.remove();
  }
  await serving(stage, 70_000);
}

const sealedStill = (rest: string) => new RegExp(`sealed-onion: the secrets are still sealed: .*${rest}`);

export const busyVault: Story = {
  name: "the vault answers 429 at boot",
  isLong: true,
  tell: (stage) =>
    bootWith(stage, { host: ".vault.azure.net", effect: { kind: "answer", status: 429 } }, sealedStill("429")),
};

export const brokenVault: Story = {
  name: "the vault answers 503 and nonsense at boot",
  isLong: true,
  tell: (stage) =>
    bootWith(
      stage,
      { host: ".vault.azure.net", effect: { kind: "answer", status: 503, body: "<html>\0gateway</html>" } },
      sealedStill("503"),
    ),
};

export const brokenMetadata: Story = {
  name: "the metadata service answers 500 at boot",
  isLong: true,
  tell: (stage) =>
    bootWith(stage, { host: "169.254.169.254", effect: { kind: "answer", status: 500 } }, sealedStill("500")),
};

export const hangingMetadata: Story = {
  name: "the metadata service hangs at boot",
  isLong: true,
  tell: (stage) =>
    bootWith(
      stage,
      { host: "169.254.169.254", effect: { kind: "hang" } },
      // What the machine is to run is asked for first, and secrets stay closed until that is known.
      /sealed-onion: (the secrets are still sealed: .*|system \d+ waiting: )the metadata service .*does not answer/,
    ),
};

export const hangingVault: Story = {
  name: "the vault hangs at boot",
  isLong: true,
  tell: (stage) =>
    bootWith(stage, { host: ".vault.azure.net", effect: { kind: "hang" } }, sealedStill("cannot be reached")),
};

export const noNames: Story = {
  name: "no name server at boot",
  isLong: true,
  async tell(stage) {
    const { dns, machine, console } = stage;
    const from = console.mark();
    dns.isUp = false;
    try {
      await machine.reboot();
      await console.seen(sealedStill("cannot be reached"), { from, withinMs: FIRST_LINE_MS });
    } finally {
      dns.isUp = true;
    }
    await serving(stage, 60_000);
  },
};
