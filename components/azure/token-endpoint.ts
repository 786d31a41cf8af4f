import { randomBytes } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { AccessToken } from "@azure/core-auth";

/**
 * Lends one token to a program that takes tokens only by Azure's chain of credentials, as sops does: for the time of
 * the work, the program finds the managed identity endpoint of an App Service, and that is this process.
 *
 * The token stays in memory, no file and no program on PATH is in between, and as the program gets no other
 * credential, it can act as nobody else. The endpoint listens on 127.0.0.1 and answers only to who knows the header
 * that the program gets in its environment, 256 random bits, and only for the one resource. Proxies are no matter:
 * Go's HTTP client never uses one for a loopback address.
 *
 * Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 * @param token undefined: the endpoint refuses, and the program finds no credential at all
 */
export async function lendToken<T>(
  token: AccessToken | undefined,
  resource: string,
  work: (environment: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const header = randomBytes(32).toString("hex");
  loans.set(header, { token, resource });
  try {
    return await work({
      AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential", // skips the probe of all others
      IDENTITY_ENDPOINT: `http://127.0.0.1:${await port()}/token`,
      IDENTITY_HEADER: header,
    });
  } finally {
    loans.delete(header);
  }
}

interface Loan {
  readonly token: AccessToken | undefined;
  readonly resource: string;
}

/** By their headers. */
const loans = new Map<string, Loan>();
let listening: Promise<number> | undefined;

/** One endpoint a process; it does not keep the process alive. */
function port(): Promise<number> {
  listening ??= new Promise((resolve, reject) => {
    const server = http.createServer(answer).unref();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  return listening;
}

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const loan = loans.get(`${request.headers["x-identity-header"]}`);
  const wanted = new URL(request.url ?? "/", "http://127.0.0.1").searchParams.get("resource")?.replace(/\/$/, "");
  response.setHeader("content-type", "application/json");
  if (loan?.token === undefined || wanted !== loan.resource) {
    const message = loan ? `no token for ${wanted}` : "unknown caller";
    response.writeHead(loan ? 400 : 401).end(JSON.stringify({ error: { code: "invalid_request", message } }));
    return;
  }
  const { token, expiresOnTimestamp } = loan.token;
  const expires_on = `${Math.floor(expiresOnTimestamp / 1000)}`;
  response.end(JSON.stringify({ access_token: token, expires_on, resource: wanted, token_type: "Bearer" }));
}
