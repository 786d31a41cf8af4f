import { askAzure } from "../../../components/azure/azure-request";
import { pause } from "../../../components/process/pause";
import { LIVE_TAG } from "./plan";

/** Resource Manager of one subscription, as somebody. */
export interface Subscription {
  readonly id: string;
  /** `management.azure.com` */
  readonly resourceManager: string;
  token(): Promise<string>;
  /** @default the network */
  readonly ask?: typeof askAzure;
}

interface Tagged {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
}

interface DeletedVault {
  readonly name: string;
  readonly properties: { readonly vaultId: string; readonly location: string; readonly tags?: Tagged["tags"] };
}

const GROUPS = "2021-04-01";
const VAULTS = "2023-07-01";
const patienceMs = 30 * 60_000;

/**
 * Removes what live rehearsals have left: resource groups whose time is over or that are named, and vaults that Azure
 * keeps after that. Only what has the tag is ever touched.
 * @param own resource groups that go though their time is not over
 * @returns what was removed, by name
 */
export async function cleanLive(
  subscription: Subscription,
  own: readonly string[],
  say: (line: string) => void,
  now = new Date(),
): Promise<string[]> {
  const isDoomed = (group: string, tags: Tagged["tags"] = {}) =>
    tags[LIVE_TAG] !== undefined && (own.includes(group) || !(Date.parse(tags[LIVE_TAG]) > now.getTime()));
  const groups = (await list<Tagged>(subscription, "resourcegroups", GROUPS)).filter(({ name, tags }) =>
    isDoomed(name, tags),
  );
  for (const { name } of groups) {
    say(`deleting resource group ${name}: this takes minutes`);
    await send(subscription, "DELETE", `resourcegroups/${name}`, GROUPS);
  }
  for (const { name } of groups) await untilGone(subscription, name);
  const vaults = (await list<DeletedVault>(subscription, "providers/Microsoft.KeyVault/deletedVaults", VAULTS)).filter(
    ({ properties: { vaultId, tags } }) => isDoomed(/\/resourceGroups\/([^/]+)/i.exec(vaultId)?.[1] ?? "", tags),
  );
  for (const { name, properties } of vaults) {
    say(`purging vault ${name}, which Azure keeps after its deletion`);
    const place = `providers/Microsoft.KeyVault/locations/${properties.location}/deletedVaults/${name}/purge`;
    await send(subscription, "POST", place, VAULTS);
  }
  return [...groups, ...vaults].map(({ name }) => name);
}

async function untilGone(subscription: Subscription, group: string): Promise<void> {
  for (const deadline = Date.now() + patienceMs; ; await pause(5_000)) {
    const { status } = await ask(subscription, "GET", `resourcegroups/${group}`, GROUPS);
    if (status === 404) return;
    if (Date.now() > deadline)
      throw new Error(`resource group ${group} is still there: type az group delete --name ${group}`);
  }
}

async function list<T>(subscription: Subscription, path: string, version: string): Promise<T[]> {
  const { body } = await send(subscription, "GET", path, version);
  return (body as { value: T[] }).value;
}

/** @throws with Azure's own words where it refuses */
async function send(subscription: Subscription, method: "DELETE" | "GET" | "POST", path: string, version: string) {
  const answer = await ask(subscription, method, path, version);
  if (answer.status < 300) return answer;
  const { error } = (answer.body ?? {}) as { error?: { code?: string } };
  throw new Error(`Azure refuses ${method} ${path} (HTTP ${answer.status}${error?.code ? ` ${error.code}` : ""})`);
}

async function ask(
  { id, resourceManager, token, ask: over = askAzure }: Subscription,
  method: "DELETE" | "GET" | "POST",
  path: string,
  version: string,
) {
  const headers = { authorization: `Bearer ${await token()}`, accept: "application/json" };
  return over(`https://${resourceManager}/subscriptions/${id}/${path}?api-version=${version}`, { method, headers });
}
