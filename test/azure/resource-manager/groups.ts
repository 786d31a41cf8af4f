import type { Cloud, CloudResource } from "../cloud";
import type { Caller } from "../entra/bearer";
import { cloudError } from "../gateway/error-answers";
import { type Answer, type Exchange, json } from "../gateway/exchange";
import { isAllowed } from "./authorization";

/** What the rights to groups are called, and of which type a group is. */
const GROUP = "Microsoft.Resources/subscriptions/resourceGroups";
const TYPE = "Microsoft.Resources/resourceGroups";

interface Asked {
  /** What the right to it is called. */
  readonly operation: string;
  readonly scope: string;
  answer(): Answer;
}

/**
 * What is asked of a subscription by a program that tidies up: its resource groups, a group's deletion with all that is in it,
 * the vaults that are kept after their deletion, and their purge. Undefined where the request is none of these.
 * Sources: https://learn.microsoft.com/rest/api/resources/resource-groups and .../rest/api/keyvault/keyvault/vaults
 */
export function answerForGroups(exchange: Exchange, cloud: Cloud, caller: Caller): Answer | undefined {
  const { url, record } = exchange;
  const asked = askedOf(`${record.method} ${decodeURIComponent(url.pathname)}`, cloud);
  if (asked === undefined) return undefined;
  const { operation, scope } = asked;
  record.operation = operation;
  if (isAllowed(cloud, caller.principals, scope, { action: operation })) return asked.answer();
  const message = `The client '${caller.clientId}' does not have authorization to perform action '${operation}' over scope '${scope}'.`;
  return cloudError(403, "AuthorizationFailed", message);
}

function askedOf(request: string, cloud: Cloud): Asked | undefined {
  const scope = `/subscriptions/${cloud.subscriptionId}`;
  const at = (pattern: string) => new RegExp(`^${pattern.replace("SUBSCRIPTION", scope)}/?$`, "i").exec(request);
  if (at("GET SUBSCRIPTION/resourcegroups")) {
    const answer = () => json(200, { value: cloud.list({ type: TYPE, under: scope }).map(shortly) });
    return { operation: `${GROUP}/read`, scope, answer };
  }
  const [, group] = at("DELETE SUBSCRIPTION/resourcegroups/([^/]+)") ?? [];
  if (group !== undefined) {
    const id = `${scope}/resourceGroups/${group}`;
    return { operation: `${GROUP}/delete`, scope: id, answer: () => remove(cloud, id) };
  }
  if (at("GET SUBSCRIPTION/providers/Microsoft.KeyVault/deletedVaults"))
    return {
      operation: "Microsoft.KeyVault/deletedVaults/read",
      scope,
      answer: () => json(200, { value: kept(cloud) }),
    };
  const [, vault] =
    at("POST SUBSCRIPTION/providers/Microsoft.KeyVault/locations/[^/]+/deletedVaults/([^/]+)/purge") ?? [];
  if (vault === undefined) return undefined;
  const operation = "Microsoft.KeyVault/locations/deletedVaults/purge/action";
  return { operation, scope, answer: () => purge(cloud, vault) };
}

function shortly({ id, name, location, tags }: CloudResource): object {
  return { id, name, type: TYPE, location, tags };
}

/** Azure takes minutes for it, and says so at once. */
function remove(cloud: Cloud, id: string): Answer {
  if (cloud.get(id) === undefined) {
    const message = `Resource group '${id.split("/").at(-1)}' could not be found.`;
    return cloudError(404, "ResourceGroupNotFound", message);
  }
  cloud.remove(id);
  return { status: 202 };
}

function kept(cloud: Cloud): object[] {
  return cloud.deletedVaults().map(({ resource: { id, name, location, tags }, deletedAt, scheduledPurgeAt }) => ({
    name,
    type: "Microsoft.KeyVault/deletedVaults",
    properties: {
      vaultId: id,
      location,
      tags,
      deletionDate: new Date(deletedAt).toISOString(),
      scheduledPurgeDate: new Date(scheduledPurgeAt).toISOString(),
    },
  }));
}

function purge(cloud: Cloud, name: string): Answer {
  if (cloud.purgeVault(name)) return { status: 202 };
  return cloudError(404, "DeletedVaultNotFound", `The specified deleted vault '${name}' does not exist.`);
}
