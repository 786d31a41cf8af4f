import type { Cloud } from "../cloud";
import type { Caller } from "../entra/bearer";
import { cloudError } from "../gateway/error-answers";
import { type Answer, type Exchange, json } from "../gateway/exchange";
import { isAllowed } from "./authorization";
import { computeUsages, networkUsages, skusIn } from "./quota";

/** What is asked of a region: how much of each quota is used, and which sizes there are. Undefined where it is none of these. */
export function answerForRegion(exchange: Exchange, cloud: Cloud, caller: Caller): Answer | undefined {
  const { url, record } = exchange;
  const scope = `/subscriptions/${cloud.subscriptionId}`;
  const [, provider, rest] =
    new RegExp(`^${scope}/providers/Microsoft\\.(Compute|Network)/(.+?)/?$`, "i").exec(url.pathname) ?? [];
  const [, location] = /^locations\/([^/]+)\/usages$/i.exec(rest ?? "") ?? [];
  const isSkus = provider === "Compute" && rest === "skus";
  if (record.method !== "GET" || (location === undefined && !isSkus)) return undefined;
  const operation = `Microsoft.${provider}/${isSkus ? "skus" : "locations/usages"}/read`;
  record.operation = operation;
  if (!isAllowed(cloud, caller.principals, scope, { action: operation })) {
    const message = `The client '${caller.clientId}' does not have authorization to perform action '${operation}' over scope '${scope}'.`;
    return cloudError(403, "AuthorizationFailed", message);
  }
  if (location === undefined) return json(200, { value: skusIn(filtered(url.searchParams.get("$filter"))) });
  return json(200, { value: (provider === "Compute" ? computeUsages : networkUsages)(cloud, location) });
}

/** `location eq 'westeurope'`, which is the one filter that there is. */
function filtered(filter: string | null): string {
  return /^location eq '([^']+)'$/.exec(filter ?? "")?.[1] ?? "westeurope";
}
