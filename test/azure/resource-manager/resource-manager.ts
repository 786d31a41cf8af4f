import type { Cloud, CloudResource } from "../cloud";
import { type CloudNames, issuerOf } from "../cloud-names";
import { type BearerCheck, type Caller, checkBearer } from "../entra/bearer";
import type { TokenIssuer } from "../entra/tokens";
import { cloudError } from "../gateway/error-answers";
import { type Answer, type Exchange, json, type Service, send } from "../gateway/exchange";
import { isAllowed, permissionsAt } from "./authorization";
import { answerForGroups } from "./groups";
import { type Consoles, instanceViewOf } from "./machine-state";
import { answerForPolicies } from "./policy-restrictions";
import { answerForRegion } from "./regional";

const audiencesOf = ({ managementAudience, resourceManager }: CloudNames) =>
  [resourceManager, managementAudience].map((host) => `https://${host}`);

/** A path of Resource Manager, taken apart. */
interface Target {
  /** Id of the resource, or of the scope that is listed. */
  id: string;
  type: string;
  list: boolean;
}

/** Resource ids alternate type and name below the last `/providers/`; one type too many is a listing. */
function parsePath(path: string): Target | undefined {
  const id = path.replace(/\/+$/, "");
  const [scope = "", provider] = splitAtLast(id, "/providers/");
  if (provider === undefined) return parseScope(id);
  const [namespace = "", ...rest] = provider.split("/");
  if (rest.length === 0) return undefined;
  const types = rest.filter((_, index) => index % 2 === 0);
  const list = rest.length % 2 === 1;
  const listed = `${scope}${rest.length === 1 ? "" : `/providers/${namespace}/${rest.slice(0, -1).join("/")}`}`;
  return { id: list ? listed : id, type: [namespace, ...types].join("/"), list };
}

function splitAtLast(text: string, separator: string): [string, string?] {
  const at = text.toLowerCase().lastIndexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function parseScope(id: string): Target | undefined {
  if (/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+$/i.test(id)) {
    return { id, type: "Microsoft.Resources/subscriptions/resourceGroups", list: false };
  }
  if (/^\/subscriptions\/[^/]+$/i.test(id)) return { id, type: "Microsoft.Resources/subscriptions", list: false };
  return undefined;
}

function unauthorized(cloud: Cloud, check: BearerCheck & { ok: false }): Answer {
  const authority = `https://${cloud.names.login[0]}/${cloud.tenantId}`;
  const challenge = `Bearer authorization_uri="${authority}", error="invalid_token", error_description="The authentication failed because of missing 'Authorization' header."`;
  const expected = issuerOf(cloud.names, cloud.tenantId, 1);
  const audiences = audiencesOf(cloud.names)
    .map((audience) => `${audience}/`)
    .join(",");
  const answers = {
    missing: ["AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."],
    malformed: ["InvalidAuthenticationToken", "The access token is invalid."],
    signature: ["InvalidAuthenticationToken", "The access token signature validation failed."],
    expired: ["ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than the current UTC time."],
    notYetValid: ["InvalidAuthenticationToken", "The access token is not yet valid."],
    audience: [
      "InvalidAuthenticationTokenAudience",
      `The access token has been obtained for wrong audience or resource '${check.found}'. It should exactly match with one of the allowed audiences '${audiences}'.`,
    ],
    tenant: [
      "InvalidAuthenticationTokenTenant",
      `The access token is from the wrong issuer '${check.found}'. It must match the tenant '${expected}' associated with this subscription.`,
    ],
  };
  const [code = "", message = ""] = answers[check.reason];
  return cloudError(401, code, message, { headers: { "www-authenticate": challenge } });
}

function forbidden(caller: Caller, action: string, scope: string): Answer {
  const message = `The client '${caller.clientId}' with object id '${caller.objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`;
  return cloudError(403, "AuthorizationFailed", message);
}

function notFound(target: Target): Answer {
  const group = /\/resourceGroups\/([^/]+)/i.exec(target.id)?.[1] ?? "";
  const name = `${target.type}/${target.id.split("/").at(-1)}`;
  const message = `The Resource '${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`;
  return cloudError(404, "ResourceNotFound", message);
}

/** Anyone who attaches an identity names it by its id alone: the answer tells its object and client id too. */
function identityOf(cloud: Cloud, resource: CloudResource): Pick<CloudResource, "identity"> {
  const { identity } = resource;
  if (identity?.userAssignedIdentities === undefined) return {};
  const told = Object.entries(identity.userAssignedIdentities).map(([id, given]) => {
    const { objectId, clientId } = cloud.directory.managedIdentity(id) ?? {};
    return [id, objectId === undefined ? given : { principalId: objectId, clientId }];
  });
  return { identity: { ...identity, userAssignedIdentities: Object.fromEntries(told) } };
}

/** User data and the instance view are told only to those who ask for them (`$expand=userData`, `instanceView`). */
function presented(cloud: Cloud, { state, ...resource }: CloudResource, expand: string | null): CloudResource {
  const { userData, ...properties } = resource.properties;
  const asked = expand?.toLowerCase();
  const more = {
    ...(userData !== undefined && asked === "userdata" && { userData }),
    ...(asked === "instanceview" && { instanceView: instanceViewOf({ ...resource, state }) }),
  };
  return { ...resource, ...identityOf(cloud, resource), properties: { ...properties, ...more } };
}

/**
 * Resource Manager for clients that read: a resource by id, a listing by type under a scope. Checks the bearer token and
 * the control-plane roles. Writes go through the simulated provider, not through here: 405.
 */
export function createResourceManager(cloud: Cloud, tokens: TokenIssuer, consoles: Consoles): Service {
  function read(target: Target, caller: Caller, expand: string | null): Answer {
    const action = `${target.type}/read`;
    if (!isAllowed(cloud, caller.principals, target.id, { action })) return forbidden(caller, action, target.id);
    if (target.list) {
      const found = cloud.list({ type: target.type, under: target.id });
      return json(200, { value: found.map((resource) => presented(cloud, resource, null)) });
    }
    const resource = cloud.get(target.id);
    return resource ? json(200, presented(cloud, resource, expand)) : notFound(target);
  }

  /** What the caller itself may do there: anybody who is somebody in the tenant may ask that. */
  function permissions(scope: string, caller: Caller): Answer {
    const value = permissionsAt(cloud, caller.principals, scope).map((permission) => ({
      ...{ actions: [], notActions: [], dataActions: [], notDataActions: [] },
      ...permission,
    }));
    return json(200, { value });
  }

  /** The one thing that is asked of a machine by POST. */
  function consoleOf(id: string, caller: Caller): Answer {
    const action = "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action";
    if (!isAllowed(cloud, caller.principals, id, { action })) return forbidden(caller, action, id);
    const machine = cloud.get(id);
    return machine
      ? consoles.addresses(machine)
      : notFound({ id, type: "Microsoft.Compute/virtualMachines", list: false });
  }

  async function answer(exchange: Exchange): Promise<Answer> {
    const { url, record } = exchange;
    const check = await checkBearer(exchange, tokens, audiencesOf(cloud.names), cloud.tenantId);
    if (!check.ok) return unauthorized(cloud, check);
    if (!url.searchParams.has("api-version")) {
      const message = "The api-version query parameter (?api-version=) is required for all requests.";
      return cloudError(400, "MissingApiVersionParameter", message);
    }
    const [, scope] =
      /^(\/subscriptions\/.+)\/providers\/Microsoft\.Authorization\/permissions$/i.exec(url.pathname) ?? [];
    if (scope !== undefined && record.method === "GET") {
      record.operation = "Microsoft.Authorization/permissions/list";
      return permissions(scope, check.caller);
    }
    const [, machine] = /^(.+)\/retrieveBootDiagnosticsData$/i.exec(decodeURIComponent(url.pathname)) ?? [];
    if (machine !== undefined && record.method === "POST") {
      record.operation = "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData";
      return consoleOf(machine, check.caller);
    }
    const policies = answerForPolicies(exchange, cloud, check.caller);
    if (policies !== undefined) return policies;
    const other = answerForGroups(exchange, cloud, check.caller) ?? answerForRegion(exchange, cloud, check.caller);
    if (other !== undefined) return other;
    const target = parsePath(decodeURIComponent(url.pathname));
    if (target === undefined) return cloudError(404, "NotFound", `no resource type at ${url.pathname}`);
    record.operation = `${target.type}/${target.list ? "list" : "read"}`;
    if (record.method === "GET") return read(target, check.caller, url.searchParams.get("$expand"));
    const message = `The requested resource does not support http method '${record.method}': the loopback Azure changes resources through the provider only.`;
    return cloudError(405, "UnsupportedMethod", message);
  }

  return async (exchange) => {
    const result = await answer(exchange);
    exchange.request.resume();
    send(exchange, result);
  };
}
