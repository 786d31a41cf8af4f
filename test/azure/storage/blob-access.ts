import type { Cloud, CloudResource } from "../cloud";
import { type BearerCheck, type Caller, checkBearer } from "../entra/bearer";
import type { TokenIssuer } from "../entra/tokens";
import { storageError } from "../gateway/error-answers";
import type { Answer, Exchange } from "../gateway/exchange";
import { admission } from "../network/admission";
import { BLOB_NETWORK } from "../provider/kinds/network-rules";
import { isAllowed } from "../resource-manager/authorization";
import type { BlobRequest } from "./blob-operations";

const FAILED = "Server failed to authenticate the request.";
const SEE_HEADER = `${FAILED} Please refer to the information in the www-authenticate header.`;
/** From this version on the service tells clients where to get a token. */
const FIRST_CHALLENGE_VERSION = "2019-12-12";

function challenge(cloud: Cloud): string {
  return `Bearer authorization_uri=https://${cloud.names.login[0]}/${cloud.tenantId}/oauth2/authorize resource_id=https://storage.azure.com`;
}

function anonymous(cloud: Cloud, account: CloudResource, exchange: Exchange): Answer {
  const version = exchange.request.headers["x-ms-version"];
  if (typeof version === "string" && version >= FIRST_CHALLENGE_VERSION) {
    return storageError(401, "NoAuthenticationInformation", SEE_HEADER, { "www-authenticate": challenge(cloud) });
  }
  if (account.properties.allowBlobPublicAccess === false) {
    return storageError(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.");
  }
  return storageError(404, "ResourceNotFound", "The specified resource does not exist.");
}

/** Nobody is ever told an account's key here, so no signature under it can be right. */
function byKey(account: CloudResource): Answer {
  if (account.properties.allowSharedKeyAccess === false) {
    const text = "Key based authentication is not permitted on this storage account.";
    return storageError(403, "KeyBasedAuthenticationNotPermitted", text);
  }
  const text = `${FAILED} Make sure the value of Authorization header is formed correctly including the signature.`;
  return storageError(403, "AuthenticationFailed", text);
}

function unauthorized(cloud: Cloud, check: BearerCheck & { ok: false }): Answer {
  const details = {
    missing: "",
    malformed: "Token validation failed. The token is malformed.",
    signature: "Signature validation failed. Signature verification failed.",
    expired: "Lifetime validation failed. The token is expired.",
    notYetValid: "Lifetime validation failed. The token is not yet valid.",
    audience: "Audience validation failed. Audience did not match.",
    tenant: "Issuer validation failed. Issuer did not match.",
  };
  const text = `${SEE_HEADER}\n${details[check.reason]}`;
  return storageError(401, "InvalidAuthenticationInfo", text, { "www-authenticate": challenge(cloud) });
}

function outsideNetwork(cloud: Cloud, account: CloudResource, via: string): Answer | undefined {
  if (!("refused" in admission(cloud, account, via, BLOB_NETWORK))) return undefined;
  return storageError(403, "AuthorizationFailure", "This request is not authorized to perform this operation.");
}

/** The container's resource id, or the account's. */
export function scopeOf(account: CloudResource, container: string | undefined): string {
  return container === undefined ? account.id : `${account.id}/blobServices/default/containers/${container}`;
}

/**
 * Whether a request to the blob service may go on: with Entra tokens only, by roles in effect on the container, the
 * account or above.
 */
export async function authorizeBlob(
  cloud: Cloud,
  tokens: TokenIssuer,
  account: CloudResource,
  exchange: Exchange,
  request: BlobRequest,
): Promise<{ ok: true; caller: Caller } | { ok: false; answer: Answer }> {
  const { authorization = "" } = exchange.request.headers;
  const isSigned = exchange.url.searchParams.has("sig") || /^SharedKey/i.test(authorization);
  if (isSigned) return { ok: false, answer: byKey(account) };
  if (authorization === "") return { ok: false, answer: anonymous(cloud, account, exchange) };
  const audiences = ["https://storage.azure.com", `https://${exchange.host}`];
  const check = await checkBearer(exchange, tokens, audiences, cloud.tenantId);
  if (!check.ok) return { ok: false, answer: unauthorized(cloud, check) };
  const outside = outsideNetwork(cloud, account, exchange.record.via);
  if (outside) return { ok: false, answer: outside };
  const { caller } = check;
  if (isAllowed(cloud, caller.principals, scopeOf(account, request.container), request.needs))
    return { ok: true, caller };
  const text = "This request is not authorized to perform this operation using this permission.";
  return { ok: false, answer: storageError(403, "AuthorizationPermissionMismatch", text) };
}
