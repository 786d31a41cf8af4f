import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";

/** No token could be had: `cause` is what the credential threw. */
export class CredentialFailure extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
  }
}

/**
 * A credential whose failures can be distinguished from Azure's. While the last token is good, a renewal that fails does not
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
