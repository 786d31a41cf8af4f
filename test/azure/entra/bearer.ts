import type { Exchange } from "../gateway/exchange";
import { type Claims, issuerOf, type TokenIssuer } from "./tokens";

/** Who calls, as their token says. */
export interface Caller {
  objectId: string;
  clientId: string;
  tenantId: string;
  /** The principal and its groups: whoever a policy or role may name. */
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
export async function checkBearer(
  exchange: Exchange,
  issuer: TokenIssuer,
  audiences: string[],
  tenantId: string,
): Promise<BearerCheck> {
  const [, token] = /^Bearer\s+(\S+)$/i.exec(exchange.request.headers.authorization ?? "") ?? [];
  if (token === undefined) return { ok: false, reason: "missing" };
  const check = await issuer.verify(token);
  if (!check.ok) return check;
  const caller = callerOf(check.claims);
  exchange.record.principal = caller.objectId;
  if (caller.tenantId !== tenantId) return { ok: false, reason: "tenant", found: issuerOf(caller.tenantId, 1) };
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
