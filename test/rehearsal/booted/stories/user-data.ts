import type { Stage } from "../stage";
import { succeed } from "../succeed";

/** Seals bytes for the deployment's vault, with the workstation's rights, as `pulumi up` does. */
export async function sealed({ azure, facts }: Stage, name: string, plaintext: Buffer): Promise<object> {
  const file = ["--filename-override", `${name}.sops.json`, "--input-type", "binary", "--output-type", "json"];
  const environment = { PATH: process.env.PATH, ...azure.workstation.env };
  const seal = ["encrypt", ...file, "--azure-kv", facts.vault.keyUrl, "/dev/stdin"];
  return JSON.parse(await succeed("sops", seal, { input: plaintext, environment }));
}

/** Gives the machine user data behind the program's back. @param userData in base64 @returns what gives it back its own */
export function putUserData({ azure, platform }: Stage, userData: string): () => void {
  const before = azure.cloud.get(platform.vmId);
  if (before === undefined) throw new Error("the machine is no longer in the cloud");
  azure.cloud.put({ ...before, properties: { ...before.properties, userData } });
  return () => void azure.cloud.put(before);
}

/** The same with sealed files by secret; without any there is no user data. */
export function setUserData(stage: Stage, files: Record<string, object>): () => void {
  const text = JSON.stringify({ version: 1, secrets: files });
  return putUserData(stage, Object.keys(files).length === 0 ? "" : Buffer.from(text).toString("base64"));
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
  const restore = setUserData(stage, {});
  try {
    await lookAtUserData(stage);
    await work();
  } finally {
    restore();
  }
}
