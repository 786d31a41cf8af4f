import { decodeJwt, errors } from "jose";
import type { Cloud } from "../cloud";
import { entraError } from "../gateway/error-answers";
import type { Answer } from "../gateway/exchange";
import type { FederatedCredential, Principal } from "./directory";
import type { ExternalIssuerService } from "./external-issuer";

const DEFAULT_AUDIENCE = "api://AzureADTokenExchange";

export interface Assertion {
  tenant: string;
  clientId: string;
  /** A signed token of another issuer. */
  assertion: string;
}

export interface FederationOptions {
  cloud: Cloud;
  /** By `iss`. */
  externalIssuers: Map<string, ExternalIssuerService>;
}

function noMatch(number: number, what: string, value: string): Answer {
  const text = `AADSTS${number}: No matching federated identity record found for presented assertion ${what} '${value}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation`;
  return entraError(401, "invalid_client", text);
}

/** The first of issuer, subject and audience that no federated credential agrees with. */
function mismatch(trusts: FederatedCredential[], iss: string, sub: string, audiences: string[]): Answer | undefined {
  const byIssuer = trusts.filter((trust) => trust.issuer === iss);
  if (byIssuer.length === 0) return noMatch(700211, "issuer", iss);
  const bySubject = byIssuer.filter((trust) => trust.subject === sub);
  if (bySubject.length === 0) return noMatch(700213, "subject", sub);
  const accepted = bySubject.flatMap((trust) => trust.audiences ?? [DEFAULT_AUDIENCE]);
  return audiences.some((audience) => accepted.includes(audience))
    ? undefined
    : noMatch(700212, "audience", audiences.join(","));
}

function unsound(error: unknown): Answer {
  if (error instanceof errors.JWTExpired) {
    const text =
      "AADSTS700024: Client assertion is not within its valid time range. Please see the documentation for correct usage of assertions.";
    return entraError(401, "invalid_client", text);
  }
  return entraError(
    401,
    "invalid_client",
    "AADSTS50013: Assertion failed signature validation. [Reason - The key was not found.]",
  );
}

/**
 * Trades a token of another issuer for a principal: an application or a user-assigned identity with a federated
 * credential that names exactly that issuer, subject and audience.
 */
export async function checkAssertion(options: FederationOptions, request: Assertion): Promise<Principal | Answer> {
  const { tenant, clientId, assertion } = request;
  const known = options.cloud.directory.federatedCredentials(tenant, clientId);
  if (known === undefined) {
    const text = `AADSTS700016: Application with identifier '${clientId}' was not found in the directory '${tenant}'.`;
    return entraError(400, "unauthorized_client", text);
  }
  try {
    const { iss = "", sub = "", aud = [] } = decodeJwt(assertion);
    const wrong = mismatch(known.trusts, iss, sub, [aud].flat());
    if (wrong) return wrong;
    const issuer = options.externalIssuers.get(iss);
    if (issuer === undefined) return noMatch(700211, "issuer", iss);
    await issuer.verify(assertion);
    return known.principal;
  } catch (error) {
    return unsound(error);
  }
}
