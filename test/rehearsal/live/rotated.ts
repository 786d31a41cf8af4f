import { createHash } from "node:crypto";
import { askAzure } from "../../../components/azure/azure-request";
import { pause } from "../../../components/process/pause";
import { type Asker, azureView } from "../../../components/vm/status/azure-view";

const API_VERSION = "2024-11-01";

/**
 * What a machine's console says once it has opened the secrets in its user data (nix/scripts/refresh-secrets.sh): they are
 * called by a digest, as it has said the same of those before.
 * @param userData as Azure keeps it: JSON in base64
 */
export function inUse(userData: string): string {
  const { secrets } = JSON.parse(Buffer.from(userData, "base64").toString("utf8"));
  const digest = createHash("sha256")
    .update(JSON.stringify(sorted(secrets)))
    .digest("hex");
  return `the secrets in user data are in use (${digest.slice(0, 12)})`;
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/**
 * Waits until a machine without an open port says that it has the secrets of its user data: Azure shows its console some
 * minutes later.
 * @param asker renewed for each look, as a token is good for an hour
 * @throws with the console's last lines
 */
export async function untilInUse(vm: string, asker: () => Promise<Asker>, patienceMs: number): Promise<void> {
  const wanted = inUse(await userDataOf(vm, await asker()));
  for (const deadline = Date.now() + patienceMs; ; await pause(10_000)) {
    const { console } = await azureView(vm, await asker());
    if (console.some((shown) => shown.includes(wanted))) return;
    if (Date.now() > deadline)
      throw new Error(`the machine's console does not show '${wanted}', but: ${console.join(" | ")}`);
  }
}

/** Azure gives it out where it is asked for alone: https://learn.microsoft.com/rest/api/compute/virtual-machines/get */
async function userDataOf(vm: string, { resourceManager, token, ask = askAzure }: Asker): Promise<string> {
  const url = `https://${resourceManager}${vm}?$expand=userData&api-version=${API_VERSION}`;
  const { status, body } = await ask(url, { headers: { authorization: `Bearer ${token}` } });
  const { userData } = (body as { properties?: { userData?: string } } | undefined)?.properties ?? {};
  if (userData === undefined) throw new Error(`Azure does not say which user data the machine has (HTTP ${status})`);
  return userData;
}
