import { type AzureAnswer, askAzure } from "../../../components/azure/azure-request";
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
const PATIENCE_MS = 30 * 60_000;

/**
 * Removes what live rehearsals have left: resource groups whose time is over or that are named, and vaults that Azure
 * keeps after that. Only what has the tag is ever touched.
 * @param own resource groups that go though their time is not over
 * @returns what was removed, by name
 * @throws what Azure refused, once all the others are removed
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
  const refusals: Error[] = [];
  /** Where Azure refuses one, the others go all the same. @returns whether it went */
  const tried = async (work: () => Promise<unknown>) =>
    work().then(
      () => true,
      (error: Error) => {
        refusals.push(error);
        return false;
      },
    );
  const removed: string[] = [];
  const deleting: string[] = [];
  for (const { name } of groups) {
    say(`deleting resource group ${name}: this takes minutes`);
    if (await tried(() => remove(subscription, "DELETE", `resourcegroups/${name}`, GROUPS))) deleting.push(name);
  }
  for (const name of deleting) if (await tried(() => untilGone(subscription, name))) removed.push(name);
  const vaults = (await list<DeletedVault>(subscription, "providers/Microsoft.KeyVault/deletedVaults", VAULTS)).filter(
    ({ properties: { vaultId, tags } }) => isDoomed(/\/resourceGroups\/([^/]+)/i.exec(vaultId)?.[1] ?? "", tags),
  );
  for (const { name, properties } of vaults) {
    say(`purging vault ${name}, which Azure keeps after its deletion`);
    const place = `providers/Microsoft.KeyVault/locations/${properties.location}/deletedVaults/${name}/purge`;
    if (await tried(() => remove(subscription, "POST", place, VAULTS))) removed.push(name);
  }
  if (refusals.length > 0) throw new Error(refusals.map(({ message }) => message).join("; "));
  return removed;
}

/** One who does not answer, or says that he is busy, is asked again. */
async function untilGone(subscription: Subscription, group: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await pause(5_000)) {
    const answer = await ask(subscription, "GET", urlOf(subscription, `resourcegroups/${group}`, GROUPS)).catch(
      () => undefined,
    );
    if (answer?.status === 404) return;
    if (Date.now() > deadline)
      throw new Error(`resource group ${group} is still there: type az group delete --name ${group}`);
  }
}

/** What is gone already, as another clean-up has removed it, is as good. */
async function remove(subscription: Subscription, method: "DELETE" | "POST", path: string, version: string) {
  const answer = await ask(subscription, method, urlOf(subscription, path, version));
  if (answer.status !== 404) accepted(answer, `${method} ${path}`);
}

/** All pages of a list: Azure gives out a part at a time, with the address of the next one. */
async function list<T>(subscription: Subscription, path: string, version: string): Promise<T[]> {
  const found: T[] = [];
  for (let next: string | undefined = urlOf(subscription, path, version); next !== undefined; ) {
    const answer: AzureAnswer = await ask(subscription, "GET", next);
    accepted(answer, `GET ${path}`);
    const page = answer.body as { value: T[]; nextLink?: string };
    found.push(...page.value);
    next = page.nextLink || undefined;
  }
  return found;
}

/** @throws with Azure's own words where it refuses */
function accepted({ status, body }: AzureAnswer, what: string): void {
  if (status < 300) return;
  const { error } = (body ?? {}) as { error?: { code?: string } };
  throw new Error(`Azure refuses ${what} (HTTP ${status}${error?.code ? ` ${error.code}` : ""})`);
}

function urlOf({ id, resourceManager }: Subscription, path: string, version: string): string {
  return `https://${resourceManager}/subscriptions/${id}/${path}?api-version=${version}`;
}

async function ask({ token, ask: over = askAzure }: Subscription, method: "DELETE" | "GET" | "POST", url: string) {
  return over(url, { method, headers: { authorization: `Bearer ${await token()}`, accept: "application/json" } });
}
