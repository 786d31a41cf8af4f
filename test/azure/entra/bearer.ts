import type { Exchange } from "../gateway/exchange";
import type { Claims, TokenIssuer } from "./tokens";

/** Who calls, as their token says. */
export interface Caller {
  objectId: string;
  clientId: string;
  tenantId: string;
  /** The principal and its groups: what a policy or role may name. */
  principals: string[];
  claims: Claims;
}

export type BearerCheck =
  | { ok: true; caller: Caller }
  | { ok: false; reason: "missing" | "malformed" | "signature" | "expired" | "notYetValid"; found?: undefined }
  | { ok: false; reason: "audience" | "tenant"; found: string };

/** Audiences compare without a slash at the end and without case. */
function plain(audience: string): string {
  return audience.toLowerCase().replace(/\/+$/, "");
}

function callerOf(claims: Claims): Caller {
  const groups = Array.isArray(claims.groups) ? claims.groups.map(String) : [];
  return {
    objectId: claims.oid,
    clientId: claims.appid ?? claims.azp ?? "",
    tenantId: claims.tid,
    principals: [claims.oid, ...groups],
    claims,
  };
}

/**
 * Checks a request's bearer token: signature, time, audience, tenant. Puts the caller into the request's record.
 *
 * @param audiences what `aud` may be
 */
export function checkBearer(
  { record, request }: Exchange,
  issuer: TokenIssuer,
  audiences: string[],
  tenantId: string,
): Promise<BearerCheck> {
  const told = (caller: Caller): void => {
    record.principal = caller.objectId;
  };
  return checkAuthorization(request.headers.authorization, issuer, audiences, tenantId, told);
}

/**
 * The same for a header that stands for something else than the request itself, as that of a copy's source.
 *
 * @param onCaller gets whose token it is, also where it is refused
 */
export async function checkAuthorization(
  authorization: string | undefined,
  issuer: TokenIssuer,
  audiences: string[],
  tenantId: string,
  onCaller: (caller: Caller) => void = () => {},
): Promise<BearerCheck> {
  const [, token] = /^Bearer\s+(\S+)$/i.exec(authorization ?? "") ?? [];
  if (token === undefined) return { ok: false, reason: "missing" };
  const check = await issuer.verify(token);
  if (!check.ok) return check;
  const caller = callerOf(check.claims);
  onCaller(caller);
  if (caller.tenantId !== tenantId) return { ok: false, reason: "tenant", found: caller.claims.iss };
  const audience = check.claims.aud;
  if (!audiences.map(plain).includes(plain(audience))) return { ok: false, reason: "audience", found: audience };
  return { ok: true, caller };
}

/** A caller in the words of Key Vault's and Storage's errors: `appid=...;oid=...;iss=...`. */
export function describeCaller({ clientId, objectId, claims }: Caller): string {
  const base = `appid=${clientId};oid=${objectId};iss=${claims.iss}`;
  const identity = claims.xms_mirid === undefined ? "" : `;xms_mirid=${claims.xms_mirid}`;
  const asker = claims.xms_az_rid === undefined ? "" : `;xms_az_rid=${claims.xms_az_rid}`;
  return base + identity + asker;
}
