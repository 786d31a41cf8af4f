import { type ProviderSettings, providerSettings } from "./provider-settings";
import { createTokenSource, type ExpectedPrincipal, type TokenSource } from "./token-source";

/** By the host that it is for; that of "" is for all others. */
const logins = new Map<string, TokenSource>();
/** What is read only once it is needed. */
const unread = new Map<string, () => ProviderSettings>();

/**
 * Says as whom this process acts.
 * @throws LoginUnclear
 */
export function actAs(settings: ProviderSettings, expected?: ExpectedPrincipal): void {
  logins.set("", createTokenSource(settings, process.env, expected));
}

/** Says as whom this process acts with one vault, for a program that has to do with several stacks. */
export function actAsAt(host: string, settings: () => ProviderSettings): void {
  unread.set(host, settings);
}

/** As whom this process acts: as was said, else as the environment alone says. @throws LoginUnclear */
export function loginInUse(host = ""): TokenSource {
  const settings = unread.get(host)?.();
  unread.delete(host);
  const isOwn = Object.values(settings ?? {}).some(({ from }) => from.startsWith("azure-native:"));
  if (settings && isOwn) logins.set(host, createTokenSource(settings, process.env));
  const login = logins.get(host) ?? logins.get("");
  if (login) return login;
  actAs(providerSettings(() => undefined, process.env));
  return loginInUse(host);
}
