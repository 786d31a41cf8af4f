import { until } from "../console";
import type { Stage } from "../stage";

/** What serves the page. */
export const SITE = "onion-site-site.service";

/** What serves once the secrets are open. */
const CONSUMERS = ["tor.service", SITE, "azure-check-in.service"];

/** Waits until units are active. @throws with the state of each */
export async function active({ machine }: Stage, units: readonly string[], withinMs: number): Promise<void> {
  await until(async () => {
    const states = await machine.run("sh", ["-c", 'systemctl is-active "$@" || true', "sh", ...units]);
    const each = states.trim().split("\n");
    if (each.length === units.length && each.every((state) => state === "active")) return true;
    throw new Error(units.map((unit, index) => `${unit} is ${each[index]}`).join(", "));
  }, withinMs);
}

/** Waits until the machine serves, from the secrets to the report to Azure. */
export async function serving(stage: Stage, withinMs: number): Promise<void> {
  await active(stage, ["sops-install-secrets.service", ...CONSUMERS], withinMs);
}

/** A property of a unit, as `systemctl show` tells it. */
export async function property({ machine }: Stage, unit: string, name: string): Promise<string> {
  return (await machine.run("systemctl", ["show", "--value", "--property", name, unit])).trim();
}
