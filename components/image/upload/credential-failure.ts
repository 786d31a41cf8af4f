import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";

/** No token could be had: `cause` is what the credential threw. */
export class CredentialFailure extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
  }
}

/**
 * A credential whose failures can be told from Azure's. While the last token is good, a renewal that fails does not
 * count: the SDK renews ahead of time in the background, where nobody would catch it.
 */
export function steadyCredential(credential: TokenCredential): TokenCredential {
  let last: (AccessToken & { readonly scopes: string }) | undefined;
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions) {
      try {
        const token = await credential.getToken(scopes, options);
        last = token ? { ...token, scopes: `${scopes}` } : undefined;
        return token;
      } catch (error) {
        if (!options?.claims && last?.scopes === `${scopes}` && last.expiresOnTimestamp > Date.now()) return last;
        throw new CredentialFailure(error);
      }
    },
  };
}

/** Whether what a credential threw may pass by itself: no network, or a token service that is out of order. */
export function isPassing(cause: unknown): boolean {
  const { errors, message, statusCode } = cause as Error & { errors?: unknown[]; statusCode?: number };
  if (errors?.[0] !== undefined) return isPassing(errors[0]); // the later ones of a chain, as a metadata service, may not be there
  if (statusCode !== undefined) return statusCode === 429 || statusCode >= 500;
  return passing.test(`${message} ${codeOf(cause)}`);
}

/** The words of MSAL, Node, the Azure CLI, and of this program about a CI system's token service. */
const passing = new RegExp(
  [
    /network_error|endpoints_resolution_error|temporarily_unavailable|AADSTS90033/,
    /fetch failed|getaddrinfo|socket hang up|\bE(CONN\w+|TIMEDOUT|NOTFOUND|AI_AGAIN|PIPE|HOSTUNREACH|NETUNREACH)\b/,
    /Max retries exceeded|NewConnectionError|NameResolutionError|Connection aborted/,
    /gives no OIDC token \((429|5\d\d)\)/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

function codeOf(error: unknown): string {
  const { cause, code } = error as { cause?: { code?: string }; code?: string };
  return code ?? cause?.code ?? "";
}
