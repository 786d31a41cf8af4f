import { createHash, createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { errors, exportJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { CLOUD_NAMES, type CloudNames, issuerOf } from "../cloud-names";
import type { Principal } from "./directory";
import { generateRsaKey } from "./rsa-key";

/** Claims of an access token as Entra makes them for applications and managed identities. */
export interface Claims extends JWTPayload {
  aud: string;
  iss: string;
  exp: number;
  oid: string;
  tid: string;
  /** v1 tokens; v2 has `azp`. */
  appid?: string;
  azp?: string;
  ver: string;
  /** Resource id of the managed identity. */
  xms_mirid?: string;
  /** Resource id of the machine that asked for the token. */
  xms_az_rid?: string;
}

export interface TokenRequest {
  principal: Principal;
  /** `aud`, as the client named the resource. */
  audience: string;
  /** @default 1 */
  version?: 1 | 2;
  /** @default 86399 for managed identities, 3599 for others */
  lifetimeSeconds?: number;
  /** Id of the machine that asks. */
  requestedBy?: string;
  /** Claims on top of the usual ones: for tests of those who verify tokens. */
  claims?: Record<string, unknown>;
}

export interface IssuedToken {
  token: string;
  /** Seconds. */
  expiresIn: number;
  /** Seconds since 1970. */
  notBefore: number;
  expiresOn: number;
}

export type TokenCheck =
  | { ok: true; claims: Claims }
  | { ok: false; reason: "malformed" | "signature" | "expired" | "notYetValid" };

/** Signs access tokens for all tenants and checks them as the services do. */
export interface TokenIssuer {
  issue(request: TokenRequest): Promise<IssuedToken>;
  verify(token: string): Promise<TokenCheck>;
  /** The public keys, as Entra's `keys` endpoint answers them. */
  jwks: { keys: JWK[] };
}

const DAY_SECONDS = 86_399;
const HOUR_SECONDS = 3_599;
/** How far clocks may differ: Entra's tokens are valid from five minutes before they are made. */
const SKEW_SECONDS = 300;

function identityClaims(request: TokenRequest): Record<string, unknown> {
  const { principal, requestedBy } = request;
  if (principal.kind !== "managedIdentity") return {};
  const asker = requestedBy === undefined ? {} : { xms_az_rid: requestedBy };
  return { idtyp: "app", xms_mirid: principal.resourceId, ...asker };
}

function claimsOf(names: CloudNames, request: TokenRequest, version: 1 | 2): Record<string, unknown> {
  const { principal } = request;
  const client =
    version === 1
      ? { appid: principal.clientId, appidacr: principal.kind === "managedIdentity" ? "2" : "1" }
      : { azp: principal.clientId, azpacr: principal.kind === "managedIdentity" ? "2" : "1" };
  return {
    aio: randomUUID(),
    ...client,
    ...(version === 1 && { idp: issuerOf(names, principal.tenantId, 1) }),
    oid: principal.objectId,
    rh: "0.",
    tid: principal.tenantId,
    uti: randomUUID(),
    ver: version === 1 ? "1.0" : "2.0",
    ...(principal.memberOf.length > 0 && { groups: principal.memberOf }),
    ...identityClaims(request),
    ...request.claims,
  };
}

function reasonOf(error: unknown): TokenCheck {
  if (error instanceof errors.JWTExpired) return { ok: false, reason: "expired" };
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === "nbf")
    return { ok: false, reason: "notYetValid" };
  const isSignature = error instanceof errors.JWSSignatureVerificationFailed;
  return { ok: false, reason: isSignature ? "signature" : "malformed" };
}

/** Remembers good signatures, so that the hundredth request with one token costs a hash. */
function createVerifier(publicKey: KeyObject, now: () => number): (token: string) => Promise<TokenCheck> {
  const known = new Map<string, Claims>();
  return async (token) => {
    const digest = createHash("sha256").update(token).digest("base64");
    const claims = known.get(digest);
    const seconds = now() / 1000;
    if (claims) return claims.exp > seconds ? { ok: true, claims } : { ok: false, reason: "expired" };
    try {
      const verified = await jwtVerify<Claims>(token, publicKey, {
        algorithms: ["RS256"],
        currentDate: new Date(now()),
      });
      if (known.size > 1000) known.clear();
      known.set(digest, verified.payload);
      return { ok: true, claims: verified.payload };
    } catch (error) {
      return reasonOf(error);
    }
  };
}

/** @param now the clock, milliseconds */
export async function createTokenIssuer(
  now: () => number,
  names: CloudNames = CLOUD_NAMES.public,
): Promise<TokenIssuer> {
  const privateKey = await generateRsaKey(2048);
  const publicKey = createPublicKey(privateKey);
  const jwk = await exportJWK(publicKey);
  const kid = createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");

  async function issue(request: TokenRequest): Promise<IssuedToken> {
    const version = request.version ?? 1;
    const made = Math.floor(now() / 1000);
    const usual = request.principal.kind === "managedIdentity" ? DAY_SECONDS : HOUR_SECONDS;
    const expiresIn = request.lifetimeSeconds ?? usual;
    const expiresOn = made + expiresIn;
    const notBefore = Math.min(made, expiresOn) - SKEW_SECONDS;
    const token = await new SignJWT(claimsOf(names, request, version))
      .setProtectedHeader({ typ: "JWT", alg: "RS256", kid, ...(version === 1 && { x5t: kid }) })
      .setIssuer(issuerOf(names, request.principal.tenantId, version))
      .setSubject(request.principal.objectId)
      .setAudience(request.audience)
      .setIssuedAt(notBefore)
      .setNotBefore(notBefore)
      .setExpirationTime(expiresOn)
      .sign(privateKey);
    return { token, expiresIn, notBefore, expiresOn };
  }

  const jwks = { keys: [{ ...jwk, kty: "RSA", use: "sig", alg: "RS256", kid, x5t: kid }] };
  return { issue, verify: createVerifier(publicKey, now), jwks };
}
