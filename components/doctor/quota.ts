import { askAzure } from "../azure/azure-request";
import type { Finding } from "./finding";
import { type Place, quotaFinding, type Sku, type Usage } from "./quota-finding";
import type { Counted } from "./quota-needs";

/** As whom Azure is asked. */
export interface Asker {
  /** `management.azure.com` */
  readonly resourceManager: string;
  readonly token: string;
}

const COMPUTE = "2024-11-01";
const NETWORK = "2024-05-01";
/** The last version of the listing of sizes. */
const SKUS = "2021-07-01";

/**
 * Whether Azure lets the machines be made, beside those that serve: a replacement has both at once. Sources:
 * https://learn.microsoft.com/rest/api/compute/usage/list, .../resource-skus/list and .../virtualnetwork/usages/list
 * @param own a value of `sealed-onion:KEY`
 */
export async function examineQuota(place: Place, own: (key: string) => unknown, asker: Asker): Promise<Finding> {
  const { subscription, location, group, stack } = place;
  const inRegion = (provider: string) => `/subscriptions/${subscription}/providers/${provider}/locations/${location}`;
  const filter = `&$filter=${encodeURIComponent(`location eq '${location}'`)}`;
  const machines = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines`;
  const skus = `/subscriptions/${subscription}/providers/Microsoft.Compute/skus`;
  try {
    const [compute, network, sizes, there] = await Promise.all([
      list<Usage>(asker, `${inRegion("Microsoft.Compute")}/usages?api-version=${COMPUTE}`),
      list<Usage>(asker, `${inRegion("Microsoft.Network")}/usages?api-version=${NETWORK}`),
      list<Sku>(asker, `${skus}?api-version=${SKUS}${filter}`),
      list<Machine>(asker, `${machines}?api-version=${COMPUTE}`, []),
    ]);
    const ours = new RegExp(`^sealed-onion-${stack}-(replica-\\d-)?[a-z0-9]{6}$`);
    const serving = there.filter(({ name }) => ours.test(name)).map(counted);
    return quotaFinding(own, { place, usages: [...compute, ...network], sizes, there: serving });
  } catch (error) {
    const found = `not looked at: ${(error as Error).message}`;
    return { name: "quota", state: "optional", found, type: "have the role Reader assigned at the subscription" };
  }
}

interface Machine {
  readonly name: string;
  readonly properties: { readonly hardwareProfile: { readonly vmSize: string }; readonly priority?: string };
}

function counted({ properties: { hardwareProfile, priority } }: Machine): Counted {
  return { size: hardwareProfile.vmSize, spot: priority === "Spot", address: true };
}

/** @param absent where there is none: a group that is still to be made @throws with Azure's own code */
async function list<T>({ resourceManager, token }: Asker, path: string, absent?: T[]): Promise<T[]> {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const { status, body } = await askAzure(`https://${resourceManager}${path}`, { headers });
  if (status === 404 && absent !== undefined) return absent;
  const { error, value } = (body ?? {}) as { error?: { code?: string }; value?: T[] };
  if (status === 200 && value !== undefined) return value;
  const what = path.split("?")[0]?.split("/providers/").at(-1);
  throw new Error(`Azure does not list ${what} (${error?.code ?? `HTTP ${status}`})`);
}
