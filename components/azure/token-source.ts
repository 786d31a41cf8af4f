import type { AccessToken, TokenCredential } from "@azure/core-auth";
import { backoffMs, pause } from "../process/pause";
import { type AzureCloud, cloudNamed } from "./clouds";
import { credentialOf } from "./credential";
import { chooseLogin, howText, type Login } from "./login";
import { LoginFailure, loginFailure } from "./login-failure";
import type { ProviderSettings } from "./provider-settings";
import { type Who, whoIs, whoText } from "./who";

/** Whom Pulumi's provider acts as: nobody else may act for it. */
export interface ExpectedPrincipal {
  readonly objectId: string;
  readonly tenantId: string;
}

/** One login of a run. A token is asked for once for each service, kept in memory, and shared by all who want it. */
export interface TokenSource {
  readonly cloud: AzureCloud;
  readonly login: Login;
  /**
   * @param patienceMs for how long passing failures are tried again. @default not again
   * @throws LoginFailure, which names both where somebody else than expected would act
   */
  getToken(scope: string, patienceMs?: number): Promise<AccessToken>;
  /** Who acts, for people; how they are logged in, as long as no token was given. */
  readonly who: string;
}

/** A token is not lent in its last minutes: whom it is lent to may need it for a while. */
const MARGIN_MS = 2 * 60_000;

/** @throws LoginUnclear where the settings name a principal in part only, or without a proof */
export function createTokenSource(
  settings: ProviderSettings,
  environment: NodeJS.ProcessEnv,
  expected?: ExpectedPrincipal,
): TokenSource {
  const cloud = cloudNamed(settings.environment?.value);
  const login = chooseLogin(settings, environment);
  const known = new Map<string, AccessToken>();
  const asking = new Map<string, Promise<AccessToken>>();
  let credential: TokenCredential | undefined;
  let who: Who | undefined;

  async function ask(scope: string, patienceMs: number): Promise<AccessToken> {
    const token = await patiently(async () => {
      const using = credential ?? (await credentialOf(login, cloud));
      credential = undefined; // one that failed would answer with its failure for a minute, without asking
      const taken = await take(using, scope, login);
      credential = using;
      return taken;
    }, patienceMs);
    who = whoIs(token.token);
    checkWho(who, login, expected);
    known.set(scope, token);
    return token;
  }

  return {
    cloud,
    login,
    get who() {
      return who ? whoText(who, login) : howText(login);
    },
    async getToken(scope, patienceMs = 0) {
      const token = known.get(scope);
      if (token && token.expiresOnTimestamp - MARGIN_MS > Date.now()) return token;
      const asked = asking.get(scope) ?? ask(scope, patienceMs).finally(() => asking.delete(scope));
      asking.set(scope, asked);
      return asked;
    },
  };
}

async function take(credential: TokenCredential, scope: string, login: Login): Promise<AccessToken> {
  try {
    const token = await credential.getToken(scope);
    if (token) return token;
    throw new Error("nothing was given");
  } catch (error) {
    throw loginFailure(error, login);
  }
}

async function patiently<T>(action: () => Promise<T>, patienceMs: number): Promise<T> {
  const giveUpAt = Date.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      const pauseMs = backoffMs(attempt);
      const { message, passing } = error as LoginFailure;
      if (!passing || Date.now() + pauseMs > giveUpAt) throw error;
      if (attempt === 1) console.error(`${message}; trying again for up to ${Math.ceil(patienceMs / 1000)} s`);
      await pause(pauseMs);
    }
  }
}

function checkWho(who: Who, login: Login, expected: ExpectedPrincipal | undefined): void {
  if (expected === undefined || who.objectId === expected.objectId.toLowerCase()) return;
  const remedy =
    login.how === "az"
      ? "az login as that one"
      : login.how !== "managedIdentity" && login.how !== "default" && login.from.startsWith("AZURE_")
        ? "set ARM_CLIENT_ID, ARM_TENANT_ID and ARM_CLIENT_SECRET, which the provider reads as well"
        : "log in as one of the two";
  const provider = `object id ${expected.objectId} of tenant ${expected.tenantId}`;
  const message = `this would act as ${whoText(who, login)}, but Pulumi's provider acts as ${provider}: ${remedy}`;
  throw new LoginFailure(message, false);
}
