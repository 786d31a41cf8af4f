import { identityOf, withdrawPolicy } from "../../access-policy";
import { until } from "../console";
import { serving } from "./services";
import type { Story } from "./story";

/** The machine is up before its policy is: it says so, and goes on by itself when the policy is there. */
export const lateRight: Story = {
  name: "403 before the right is there, then everything starts by itself",
  isWhileUp: true,
  async tell(stage) {
    const { azure, platform, facts, machine, console } = stage;
    const restore = withdrawPolicy(azure, facts.vault.keyUrl, identityOf(azure, platform.vmId));
    const from = console.mark();
    await machine.switchOn();
    await console.seen(/sealed-onion: the secrets are still sealed: .*HTTP 403/, { from, withinMs: 40_000 });
    restore();
    await serving(stage, 30_000);
  },
};

/** A right that is gone keeps the next start's secrets sealed, and those who need them down. */
export const revokedRight: Story = {
  name: "a revoked right: after a reboot all stays sealed, until it is back",
  isLong: true,
  async tell(stage) {
    const { azure, platform, facts, machine, console } = stage;
    const restore = withdrawPolicy(azure, facts.vault.keyUrl, identityOf(azure, platform.vmId));
    const from = console.mark();
    try {
      await machine.reboot();
      await console.seen(/sealed-onion: the secrets are still sealed: .*HTTP 403/, { from, withinMs: 40_000 });
      const found = await machine.run("sh", ["-c", "ls -A /run/secrets 2>/dev/null; pgrep -x tor || true"]);
      if (found.trim() !== "") throw new Error(`sealed, and yet there is ${found.trim()}`);
    } finally {
      restore();
    }
    await serving(stage, 40_000);
    await until(() => platform.provisioning().state === "Succeeded", 5_000);
  },
};
