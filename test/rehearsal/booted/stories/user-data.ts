import type { Stage } from "../stage";
import { succeed } from "../succeed";

/** Seals bytes for the deployment's vault, with the workstation's rights, as `pulumi up` does. */
export async function sealed({ azure, facts }: Stage, name: string, plaintext: Buffer): Promise<object> {
  const file = ["--filename-override", `${name}.sops.json`, "--input-type", "binary", "--output-type", "json"];
  const environment = { PATH: process.env.PATH, ...azure.workstation.env };
  const seal = ["encrypt", ...file, "--azure-kv", facts.vault.keyUrl, "/dev/stdin"];
  return JSON.parse(await succeed("sops", seal, { input: plaintext, environment }));
}

/** Gives the machine user data behind the program's back. @param files sealed files by secret; none takes all away */
export function setUserData({ azure, platform }: Stage, files: Record<string, object>): void {
  const vm = azure.cloud.get(platform.vmId);
  if (!vm) throw new Error("the machine is no longer in the cloud");
  const text = JSON.stringify({ version: 1, secrets: files });
  const userData = Object.keys(files).length === 0 ? "" : Buffer.from(text).toString("base64");
  azure.cloud.put({ ...vm, properties: { ...vm.properties, userData } });
}

/**
 * What the machine's timer does each 30 s, now, and as often as a story likes. Its failure is the unit's, which the
 * stories look at themselves.
 */
export async function lookAtUserData({ machine }: Stage): Promise<void> {
  await machine.run("sh", [
    "-c",
    "systemctl reset-failed refresh-secrets.service; systemctl start refresh-secrets.service || true",
  ]);
}

/** While `work` lasts the machine has no user data, and so the image's own secrets. */
export async function withoutUserData(stage: Stage, work: () => Promise<void>): Promise<void> {
  const { azure, platform } = stage;
  const before = azure.cloud.get(platform.vmId);
  setUserData(stage, {});
  try {
    await lookAtUserData(stage);
    await work();
  } finally {
    if (before) azure.cloud.put(before);
  }
}
