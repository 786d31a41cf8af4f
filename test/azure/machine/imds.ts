import type { Cloud, Principal } from "../cloud";
import type { TokenIssuer } from "../entra/tokens";
import { imdsError } from "../gateway/error-answers";
import { type Answer, type Exchange, json, type Service, send } from "../gateway/exchange";
import { instanceDocument } from "./imds-instance";
import { attachedIdentities } from "./machine-facts";

export const IMDS_HOST = "169.254.169.254";

const INSTANCE_VERSIONS = [
  ...["2017-03-01", "2017-04-02", "2017-08-01", "2017-12-01", "2018-02-01", "2018-04-02", "2018-10-01", "2019-02-01"],
  ...["2019-03-11", "2019-04-30", "2019-06-01", "2019-06-04", "2019-08-01", "2019-08-15", "2019-11-01", "2020-06-01"],
  ...["2020-07-15", "2020-09-01", "2020-10-01", "2020-12-01", "2021-01-01", "2021-02-01", "2021-03-01", "2021-05-01"],
  ...["2021-10-01", "2021-11-01", "2021-11-15", "2021-12-13", "2023-07-01", "2023-11-15", "2024-03-15", "2024-07-17"],
  "2025-04-07",
];
const OLDEST_IDENTITY_VERSION = "2018-02-01";

function badRequest(text: string): Answer {
  return { ...json(400, { error: `Bad request. ${text}` }), code: "BadRequest" };
}

function wrongVersion(): Answer {
  const error =
    "Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds";
  return { ...json(400, { error, "newest-versions": INSTANCE_VERSIONS.slice(-3).reverse() }), code: "BadRequest" };
}

function invalidRequest(text: string): Answer {
  return imdsError(400, "invalid_request", text);
}

function same(a: string | undefined, b: string): boolean {
  return a?.toLowerCase() === b.toLowerCase();
}

/** The identity a token is asked for: the one named, else the machine's own, else the only one. */
function chooseIdentity(cloud: Cloud, machineId: string, query: URLSearchParams): Principal | Answer {
  const { system, assigned } = attachedIdentities(cloud, machineId);
  const all = [...(system ? [system] : []), ...assigned];
  const clientId = query.get("client_id");
  const objectId = query.get("object_id") ?? query.get("principal_id");
  const resourceId = query.get("mi_res_id") ?? query.get("msi_res_id");
  if ([clientId, objectId, resourceId].filter((value) => value !== null).length > 1) {
    return invalidRequest("Only one of client_id, object_id and mi_res_id may be specified");
  }
  const named = clientId ?? objectId ?? resourceId;
  if (named !== null) {
    const found = all.find(
      (one) =>
        (clientId !== null && same(one.clientId, clientId)) ||
        (objectId !== null && same(one.objectId, objectId)) ||
        (resourceId !== null && one !== system && same(one.resourceId, resourceId)),
    );
    return found ?? invalidRequest("Identity not found");
  }
  if (system) return system;
  const [only, another] = assigned;
  if (another !== undefined) {
    return invalidRequest(
      "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
    );
  }
  return only ?? invalidRequest("Identity not found");
}

/** The metadata service of one machine: its own identities and facts, nobody else's. */
export function createImds(cloud: Cloud, tokens: TokenIssuer, machineId: string): Service {
  async function token(exchange: Exchange): Promise<Answer> {
    const query = exchange.url.searchParams;
    exchange.record.operation = "token";
    const version = query.get("api-version") ?? "";
    if (version === "") return invalidRequest("Required query variable 'api-version' is missing");
    if (version < OLDEST_IDENTITY_VERSION) return invalidRequest(`Unsupported api-version '${version}'`);
    const resource = query.get("resource") ?? "";
    if (resource === "") return invalidRequest("Required query variable 'resource' is missing");
    const principal = chooseIdentity(cloud, machineId, query);
    if ("status" in principal) return principal;
    exchange.record.principal = principal.objectId;
    const issued = await tokens.issue({ principal, audience: resource, requestedBy: machineId });
    return json(200, {
      access_token: issued.token,
      client_id: principal.clientId,
      expires_in: String(issued.expiresIn),
      expires_on: String(issued.expiresOn),
      ext_expires_in: String(issued.expiresIn),
      not_before: String(issued.notBefore),
      resource,
      token_type: "Bearer",
    });
  }

  async function answer(exchange: Exchange): Promise<Answer> {
    const { pathname, searchParams } = exchange.url;
    const { headers } = exchange.request;
    const isIdentity = pathname.startsWith("/metadata/identity/");
    if (headers["x-forwarded-for"] !== undefined) return badRequest("X-Forwarded-For header is not allowed");
    if (headers.metadata?.toString().toLowerCase() !== "true") {
      const text = "Required metadata header not specified";
      return isIdentity ? invalidRequest(text) : badRequest(text);
    }
    if (exchange.record.method !== "GET")
      return { ...json(405, { error: "Method not allowed" }), code: "MethodNotAllowed" };
    if (pathname === "/metadata/identity/oauth2/token") return token(exchange);
    if (pathname === "/metadata/versions") return json(200, { apiVersions: INSTANCE_VERSIONS });
    if (!INSTANCE_VERSIONS.includes(searchParams.get("api-version") ?? "")) return wrongVersion();
    const [, leaf] = /^\/metadata\/instance(\/.*)?$/.exec(pathname) ?? [undefined, null];
    if (leaf === null) return { ...json(404, { error: "Not found" }), code: "NotFound" };
    exchange.record.operation = "instance";
    return instanceDocument(cloud, machineId, leaf ?? "", searchParams.get("format"));
  }

  return async (exchange) => {
    const result = await answer(exchange);
    exchange.request.resume();
    send(exchange, { ...result, headers: { server: "IMDS/150.870.65.1854", ...result.headers } });
  };
}
