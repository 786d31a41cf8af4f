import type { AccessToken } from "@azure/core-auth";
import { vaultScope } from "../azure/clouds";
import { keyProblem } from "../azure/key-check";
import { loginInUse } from "../azure/login-in-use";
import { type Who, whoIs } from "../azure/who";

/** What one run of sops gets of Azure. */
export interface VaultLogin {
  /** Undefined where none could be had, and other recipients than the vault may still open. */
  readonly token: AccessToken | undefined;
  /** What the token is for: the vaults of a cloud. */
  readonly resource: string;
  readonly who: Who | undefined;
  /** Who acts, or why nobody does: for people. */
  readonly text: string;
}

/**
 * Takes the token that a run of sops needs, and checks the key that it is to seal with.
 * @param keyUrl the key to seal with; undefined to open
 * @param content the sealed file that is opened or re-wrapped
 * @throws Error with the reason and the remedy
 */
export async function vaultLogin(
  keyUrl: string | undefined,
  content: Uint8Array | undefined,
  patienceMs: number,
): Promise<VaultLogin> {
  const sealed = content === undefined ? undefined : recipientsOf(content);
  const vault = keyUrl ?? sealed?.vault;
  const host = vault && URL.canParse(vault) ? new URL(vault).host : "";
  const login = loginInUse(host);
  const resource = `https://${login.cloud.vault}`;
  if (host !== "" && !host.endsWith(`.${login.cloud.vault}`)) {
    throw new Error(`vault ${host} is not of Azure's cloud ${login.cloud.name}: set azure-native:environment`);
  }
  const none = { token: undefined, resource, who: undefined };
  if (host === "") return { ...none, text: "no vault" };
  try {
    const token = await login.getToken(vaultScope(login.cloud), patienceMs);
    return { token, resource, who: whoIs(token.token), text: login.who };
  } catch (error) {
    if (keyUrl !== undefined || !sealed?.hasOthers) throw error;
    return { ...none, text: (error as Error).message };
  }
}

/** Why a key cannot seal, or could not open what it sealed. */
export async function sealingProblem(keyUrl: string, { token, who }: VaultLogin) {
  return token && who ? keyProblem(keyUrl, token.token, who) : undefined;
}

/** Of a sealed file: the vault's URL, and whether somebody else opens it as well. */
function recipientsOf(content: Uint8Array): { vault: string | undefined; hasOthers: boolean } {
  try {
    const { sops = {} } = JSON.parse(Buffer.from(content).toString("utf8")) as {
      sops?: { azure_kv?: { vault_url?: string }[]; age?: unknown[]; pgp?: unknown[] };
    };
    return { vault: sops.azure_kv?.[0]?.vault_url, hasOthers: [...(sops.age ?? []), ...(sops.pgp ?? [])].length > 0 };
  } catch {
    return { vault: undefined, hasOthers: false }; // sops says what is wrong with it
  }
}

/** A failure's remedy with the object id to add, and its reason with who acted. */
export function personal<F extends { readonly reason: string; readonly remedy: string }>(
  failure: F,
  { who, text }: VaultLogin,
): F {
  if (who === undefined) return { ...failure, reason: `${failure.reason}; the vault was not asked: ${text}` };
  const objectId = who.kind === "user" ? who.objectId : `servicePrincipal:${who.objectId}`;
  const isRefusal = /answers 40[13]\b/.test(failure.reason);
  const reason = isRefusal ? `${failure.reason} (acting as ${text})` : failure.reason;
  return { ...failure, reason, remedy: failure.remedy.replace("OBJECT-ID", objectId) };
}
