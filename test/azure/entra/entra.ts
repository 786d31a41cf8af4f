import { createHash, timingSafeEqual } from "node:crypto";
import type { Cloud } from "../cloud";
import { type CloudNames, issuerOf, nameBefore } from "../cloud-names";
import { entraError } from "../gateway/error-answers";
import { type Answer, json, readBody, type Service, send } from "../gateway/exchange";
import type { Principal } from "./directory";
import type { ExternalIssuerService } from "./external-issuer";
import { checkAssertion } from "./federation";
import type { TokenIssuer } from "./tokens";

/** What a token of Entra's can be for; accounts and applications besides. */
const resourcesOf = ({ managementAudience, resourceManager, vault }: CloudNames) =>
  [vault, resourceManager, managementAudience, "storage.azure.com", "graph.microsoft.com"].map(
    (host) => `https://${host}`,
  );

export interface EntraOptions {
  cloud: Cloud;
  tokens: TokenIssuer;
  /** By `iss`. */
  externalIssuers: Map<string, ExternalIssuerService>;
}

function instanceDiscovery(tenant: string, { login }: CloudNames): Answer {
  const [preferred_network, preferred_cache = preferred_network] = login;
  return json(200, {
    tenant_discovery_endpoint: `https://${preferred_network}/${tenant}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [{ preferred_network, preferred_cache, aliases: login }],
  });
}

/** In the public cloud the v1 document names sts.windows.net as the issuer, the v2 one login.microsoftonline.com. */
function openIdConfiguration(tenant: string, version: 1 | 2, names: CloudNames): Answer {
  const [host] = names.login;
  const authority = `https://${host}`;
  const endpoint = `${authority}/${tenant}`;
  const path = version === 1 ? "" : "/v2.0";
  return json(200, {
    issuer: issuerOf(names, tenant, version),
    authorization_endpoint: `${endpoint}/oauth2${path}/authorize`,
    token_endpoint: `${endpoint}/oauth2${path}/token`,
    device_authorization_endpoint: `${endpoint}/oauth2${path}/devicecode`,
    end_session_endpoint: `${endpoint}/oauth2${path}/logout`,
    jwks_uri: version === 1 ? `${authority}/common/discovery/keys` : `${endpoint}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    response_types_supported: ["code", "id_token", "code id_token", "token id_token", "token"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    tenant_region_scope: "EU",
    cloud_instance_name: host.replace(/^login\./, ""),
    cloud_graph_host_name: "graph.windows.net",
    msgraph_host: "graph.microsoft.com",
  });
}

function tenantNotFound(tenant: string): Answer {
  const text = `AADSTS90002: Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`;
  return entraError(400, "invalid_tenant", text);
}

/** The audience a token request is about: `resource` (v1) or `scope` (v2, with `/.default`). */
function audienceOf(form: URLSearchParams): string | Answer {
  const resource = form.get("resource");
  if (resource) return resource;
  const scopes = (form.get("scope") ?? "").split(" ").filter((scope) => scope.includes("/"));
  const [scope = form.get("scope") ?? ""] = scopes;
  if (scope.endsWith("/.default")) return scope.slice(0, -"/.default".length);
  const text = `AADSTS1002012: The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
  return entraError(400, "invalid_scope", text);
}

function isKnownResource(cloud: Cloud, tenant: string, audience: string): boolean {
  const plain = audience.replace(/\/+$/, "").toLowerCase();
  if (resourcesOf(cloud.names).includes(plain)) return true;
  const account = nameBefore(plain.replace(/^https:\/\//, ""), `blob.${cloud.names.storage}`);
  if (account !== undefined) return cloud.storageAccount(account) !== undefined;
  return cloud.directory.application(tenant, plain.replace(/^api:\/\//, "")) !== undefined;
}

function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function withSecret(cloud: Cloud, tenant: string, clientId: string, secret: string): Principal | Answer {
  const application = cloud.directory.application(tenant, clientId);
  if (application === undefined) {
    const text = `AADSTS700016: Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`;
    return entraError(400, "unauthorized_client", text);
  }
  if (application.secrets.some((known) => sameSecret(known, secret))) return application;
  const text = `AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`;
  return entraError(401, "invalid_client", text);
}

export function createEntra(options: EntraOptions): Service {
  const { cloud, tokens } = options;

  function hasTenant(tenant: string): boolean {
    return tenant.toLowerCase() === cloud.tenantId || cloud.directory.hasTenant(tenant);
  }

  async function authenticate(tenant: string, form: URLSearchParams): Promise<Principal | Answer> {
    const clientId = form.get("client_id") ?? "";
    const secret = form.get("client_secret");
    const assertion = form.get("client_assertion");
    if (secret !== null) return withSecret(cloud, tenant, clientId, secret);
    if (assertion !== null) return checkAssertion(options, { tenant, clientId, assertion });
    const text =
      "AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
    return entraError(401, "invalid_client", text);
  }

  async function token(tenant: string, form: URLSearchParams): Promise<{ answer: Answer; principal?: string }> {
    if (form.get("grant_type") !== "client_credentials") {
      const text = `AADSTS70003: The app requested an unsupported grant type '${form.get("grant_type") ?? ""}'.`;
      return { answer: entraError(400, "unsupported_grant_type", text) };
    }
    const audience = audienceOf(form);
    if (typeof audience !== "string") return { answer: audience };
    const principal = await authenticate(tenant, form);
    if ("status" in principal) return { answer: principal };
    if (!isKnownResource(cloud, tenant, audience)) {
      const text = `AADSTS500011: The resource principal named ${audience} was not found in the tenant named ${tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`;
      return { answer: entraError(400, "invalid_resource", text) };
    }
    const { token: access, expiresIn } = await tokens.issue({ principal, audience });
    const body = { token_type: "Bearer", expires_in: expiresIn, ext_expires_in: expiresIn, access_token: access };
    return { answer: json(200, body), principal: principal.objectId };
  }

  async function answer(
    method: string,
    path: string,
    read: () => Promise<URLSearchParams>,
  ): Promise<{ answer: Answer; operation: string; principal?: string }> {
    const [, tenant = "", rest = ""] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
    if (rest === "discovery/instance")
      return { answer: instanceDiscovery(cloud.tenantId, cloud.names), operation: "discovery" };
    if (/^discovery\/(v2\.0\/)?keys$/.test(rest)) return { answer: json(200, tokens.jwks), operation: "keys" };
    if (!hasTenant(tenant)) return { answer: tenantNotFound(tenant), operation: "tenant" };
    const configuration = /^(v2\.0\/)?\.well-known\/openid-configuration$/.exec(rest);
    if (configuration)
      return { answer: openIdConfiguration(tenant, configuration[1] ? 2 : 1, cloud.names), operation: "discovery" };
    if (/^oauth2\/(v2\.0\/)?token$/.test(rest) && method === "POST") {
      return { ...(await token(tenant, await read())), operation: "token" };
    }
    return { answer: json(404, { error: "not found" }), operation: "unknown" };
  }

  return async (exchange) => {
    const read = async () => new URLSearchParams((await readBody(exchange)).toString("utf8"));
    const result = await answer(exchange.record.method, exchange.url.pathname, read);
    exchange.record.operation = result.operation;
    if (result.principal !== undefined) exchange.record.principal = result.principal;
    send(exchange, result.answer);
  };
}
