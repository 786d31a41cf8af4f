import type { Cloud, CloudResource } from "../cloud";
import { issuerOf, nameBefore } from "../cloud-names";
import { type BearerCheck, checkBearer } from "../entra/bearer";
import type { TokenIssuer } from "../entra/tokens";
import { cloudError } from "../gateway/error-answers";
import { type Answer, type Exchange, json, readBody, type Service, send } from "../gateway/exchange";
import { KEY_COMMANDS, type KeyCommand, runCommand, unusable } from "./key-operations";
import type { KeyVersion } from "./key-store";
import { denial } from "./key-vault-access";

/** Key Vault itself, whatever the cloud. */
const APPLICATION = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093";
const API_VERSIONS = ["2015-06-01", "2016-10-01", "7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01"];
const NAME = "[0-9A-Za-z-]{1,127}";
const READ = { policy: "get", dataAction: "read" };
const LIST = { policy: "list", dataAction: "read" };

/** What a path under a vault asks for. */
interface Target {
  kind: "keys" | "versions" | "key" | "command";
  name?: string;
  version?: string;
  command?: KeyCommand;
}

function parsePath(method: string, path: string): Target | undefined {
  if (method === "GET" && /^\/keys\/?$/.test(path)) return { kind: "keys" };
  const [, name, rest = ""] = new RegExp(`^/keys/(${NAME})(?:/(.*))?$`).exec(path) ?? [];
  if (name === undefined) return undefined;
  if (method === "GET" && rest === "versions") return { kind: "versions", name };
  const [, version = "", verb] = /^([0-9a-f]{32})?\/?([A-Za-z]+)?$/.exec(rest) ?? [];
  if (method === "GET" && verb === undefined) return { kind: "key", name, version };
  const command = method === "POST" ? KEY_COMMANDS[verb?.toLowerCase() ?? ""] : undefined;
  return command && { kind: "command", name, version, command };
}

function keyNotFound(name: string, version: string): Answer {
  const message = `A key with (name/id) ${version === "" ? name : `${name}/${version}`} was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`;
  return cloudError(404, "KeyNotFound", message);
}

function recoveryLevel(vault: CloudResource): { recoveryLevel: string; recoverableDays: number } {
  const days = vault.properties.softDeleteRetentionInDays;
  const recoverableDays = typeof days === "number" ? days : 90;
  const level = recoverableDays === 90 ? "Recoverable" : "CustomizedRecoverable";
  return {
    recoveryLevel: vault.properties.enablePurgeProtection === true ? level : `${level}+Purgeable`,
    recoverableDays,
  };
}

function attributesOf(vault: CloudResource, key: KeyVersion): Record<string, unknown> {
  return {
    enabled: key.enabled,
    ...(key.notBefore !== undefined && { nbf: key.notBefore }),
    ...(key.expires !== undefined && { exp: key.expires }),
    created: key.created,
    updated: key.updated,
    ...recoveryLevel(vault),
  };
}

function unauthorized({ names }: Cloud, vault: CloudResource, check: BearerCheck & { ok: false }): Answer {
  const tenant = String(vault.properties.tenantId);
  const texts = {
    missing: "AKV10000: Request is missing a Bearer or PoP token.",
    malformed: "AKV10000: Request is missing a Bearer or PoP token.",
    signature: "AKV10046: Unable to resolve the key used for signature validation.",
    expired: "Error validating token: IDX10223",
    notYetValid: "Error validating token: IDX10222",
    audience: `AKV10022: Invalid audience. Expected https://${names.vault}, found: ${check.found}.`,
    tenant: `AKV10032: Invalid issuer. Expected one of ${issuerOf(names, tenant, 1)}, found ${check.found}.`,
  };
  const challenge = `Bearer authorization="https://${names.login[0]}/${tenant}", resource="https://${names.vault}"`;
  return cloudError(401, "Unauthorized", texts[check.reason], { headers: { "www-authenticate": challenge } });
}

function wrongApiVersion(version: string | null): Answer | undefined {
  if (version === null || version === "") return cloudError(400, "BadParameter", "api-version must be specified");
  if (API_VERSIONS.includes(version)) return undefined;
  const message = `The specified version (${version}) is not recognized. Consider using the latest supported version (${API_VERSIONS.at(-1)}).`;
  return cloudError(400, "BadParameter", message);
}

/** @returns the key vaults' data plane: keys only, secrets and certificates are not part of this project */
export function createKeyVault(cloud: Cloud, tokens: TokenIssuer): Service {
  function listed(vault: CloudResource, keys: (KeyVersion | undefined)[], withVersion: boolean): Answer {
    const known = keys.filter((key) => key !== undefined);
    const value = known.map((key) => {
      const kid = `https://${vault.name.toLowerCase()}.${cloud.names.vault}/keys/${key.name}`;
      return { kid: withVersion ? `${kid}/${key.version}` : kid, attributes: attributesOf(vault, key) };
    });
    return json(200, { value, nextLink: null });
  }

  function described(vault: CloudResource, key: KeyVersion, kid: string): Answer {
    const { kty, keyOps, n, e } = key;
    return json(200, { key: { kid, kty, key_ops: keyOps, n, e }, attributes: attributesOf(vault, key) });
  }

  async function onKey(exchange: Exchange, vault: CloudResource, target: Target & { name: string }): Promise<Answer> {
    const { name, version = "", command } = target;
    const { keys } = cloud;
    const key = version === "" ? keys.latest(vault.id, name) : keys.version(vault.id, name, version);
    if (key === undefined) return keyNotFound(name, version);
    const kid = `https://${exchange.host}/keys/${key.name}/${key.version}`;
    if (command === undefined) return described(vault, key, kid);
    const refused = unusable(key, command, cloud.now());
    return refused ?? runCommand(key, kid, command, (await readBody(exchange)).toString("utf8"));
  }

  async function answer(exchange: Exchange, vault: CloudResource): Promise<Answer> {
    const audiences = [`https://${cloud.names.vault}`, APPLICATION];
    const check = await checkBearer(exchange, tokens, audiences, String(vault.properties.tenantId ?? cloud.tenantId));
    if (!check.ok) return unauthorized(cloud, vault, check);
    const wrong = wrongApiVersion(exchange.url.searchParams.get("api-version"));
    if (wrong) return wrong;
    const { method } = exchange.record;
    const target = parsePath(method, exchange.url.pathname);
    if (target === undefined) return cloudError(400, "BadParameter", `Method ${method} does not allow this operation`);
    exchange.record.operation = target.command?.keyOperation ?? target.kind;
    const right = target.command ?? (target.kind === "key" ? READ : LIST);
    const denied = denial(cloud, vault, check.caller, { right, keyName: target.name, via: exchange.record.via });
    if (denied) return denied;
    const { name } = target;
    if (name === undefined) {
      const latest = cloud.keys.names(vault.id).map((known) => cloud.keys.latest(vault.id, known));
      return listed(vault, latest, false);
    }
    if (target.kind === "versions") return listed(vault, cloud.keys.versions(vault.id, name), true);
    return onKey(exchange, vault, { ...target, name });
  }

  return async (exchange) => {
    const vault = cloud.vault(nameBefore(exchange.host, cloud.names.vault) ?? "");
    if (vault === undefined) throw new Error(`no vault answers for ${exchange.host}`);
    const result = await answer(exchange, vault);
    exchange.request.resume();
    const headers = {
      "x-ms-keyvault-region": vault.location ?? "unknown",
      "x-ms-keyvault-service-version": "1.9.2605.1",
      "strict-transport-security": "max-age=31536000;includeSubDomains",
      "x-content-type-options": "nosniff",
    };
    send(exchange, { ...result, headers: { ...headers, ...result.headers } });
  };
}
