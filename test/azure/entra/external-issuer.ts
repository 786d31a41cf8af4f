import { createPublicKey, type KeyObject } from "node:crypto";
import { exportJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { json, type Service, send } from "../gateway/exchange";
import { generateRsaKey } from "./rsa-key";

/** An OIDC issuer that is not Entra: GitHub Actions, a cluster, a Vault. Its tokens can be traded for Entra's. */
export interface ExternalIssuer {
  /** `iss`. */
  issuer: string;
  /** @param expiresInSeconds @default 300 */
  sign(claims: { sub: string; aud: string } & JWTPayload, expiresInSeconds?: number): Promise<string>;
}

export interface ExternalIssuerService extends ExternalIssuer {
  /** Throws where signature or time is wrong. */
  verify(token: string): Promise<JWTPayload>;
  /** Its discovery document and keys, over HTTPS. */
  service: Service;
}

const KEY_ID = "loopback";

function discovery(issuer: string, jwk: JWK): Service {
  const base = issuer.replace(/\/$/, "");
  const documents: Record<string, unknown> = {
    [`${new URL(base).pathname.replace(/\/$/, "")}/.well-known/openid-configuration`]: {
      issuer,
      jwks_uri: `${base}/.well-known/jwks`,
      id_token_signing_alg_values_supported: ["RS256"],
    },
    [`${new URL(base).pathname.replace(/\/$/, "")}/.well-known/jwks`]: {
      keys: [{ ...jwk, use: "sig", alg: "RS256", kid: KEY_ID }],
    },
  };
  return async (exchange) => {
    const found = documents[exchange.url.pathname];
    send(exchange, found === undefined ? json(404, { error: "not found" }) : json(200, found));
  };
}

/** @param now the clock, milliseconds */
export async function createExternalIssuer(issuer: string, now: () => number): Promise<ExternalIssuerService> {
  const privateKey = await generateRsaKey(2048);
  const publicKey: KeyObject = createPublicKey(privateKey);
  return {
    issuer,
    service: discovery(issuer, await exportJWK(publicKey)),
    async sign(claims, expiresInSeconds = 300) {
      const seconds = Math.floor(now() / 1000);
      return new SignJWT(claims)
        .setProtectedHeader({ typ: "JWT", alg: "RS256", kid: KEY_ID })
        .setIssuer(issuer)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + expiresInSeconds)
        .sign(privateKey);
    },
    async verify(token) {
      const options = { algorithms: ["RS256"], issuer, currentDate: new Date(now()) };
      return (await jwtVerify(token, publicKey, options)).payload;
    },
  };
}
