import { type ProviderSettings, providerSettings } from "./provider-settings";
import { createTokenSource, type ExpectedPrincipal, type TokenSource } from "./token-source";

/** By the host that it is for; that of "" is for all others. */
const logins = new Map<string, TokenSource>();

/**
 * Says as whom this process acts.
 * @param host the vault that it is for. @default all
 * @throws LoginUnclear
 */
export function actAs(settings: ProviderSettings, expected?: ExpectedPrincipal, host = ""): void {
  logins.set(host, createTokenSource(settings, process.env, expected));
}

/** As whom this process acts: as was said, else as the environment alone says. @throws LoginUnclear */
export function loginInUse(host = ""): TokenSource {
  const login = logins.get(host) ?? logins.get("");
  if (login) return login;
  actAs(providerSettings(() => undefined, process.env));
  return loginInUse(host);
}
