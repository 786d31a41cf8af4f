import { askAzure } from "./azure-request";
import type { Who } from "./who";

/** Why a key cannot do what it is for, and what to type. */
export interface KeyProblem {
  readonly reason: string;
  readonly remedy: string;
}

interface KeyAnswer {
  readonly key?: { readonly key_ops?: readonly string[] };
  readonly attributes?: { readonly enabled?: boolean; readonly nbf?: number; readonly exp?: number };
}

/** By key version: asked for once in a process. */
const checks = new Map<string, Promise<KeyProblem | undefined>>();

/**
 * Reads whether a key may decrypt, before anything is sealed with it: encrypting may be allowed where decrypting is not,
 * and what was sealed then would stay sealed on the VM.
 * @param keyUrl `https://HOST/keys/NAME/VERSION`
 * @returns undefined also where it cannot be read: sealing itself then says why
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key
 */
export function keyProblem(keyUrl: string, token: string, who: Who): Promise<KeyProblem | undefined> {
  const check = checks.get(keyUrl) ?? readKey(keyUrl, token, who);
  checks.set(keyUrl, check);
  return check;
}

async function readKey(keyUrl: string, token: string, who: Who): Promise<KeyProblem | undefined> {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const answer = await askAzure(`${keyUrl}?api-version=7.4`, { headers, timeoutMs: 5_000 }).catch(() => undefined);
  if (answer?.status === 401) return otherTenant(keyUrl, answer.header("www-authenticate") ?? "", who);
  if (answer?.status !== 200) return undefined;
  const theirs = Date.parse(answer.header("date") ?? ""); // the clock here may be wrong
  return unusable(keyUrl, answer.body as KeyAnswer, (Number.isNaN(theirs) ? Date.now() : theirs) / 1000);
}

function otherTenant(keyUrl: string, challenge: string, who: Who): KeyProblem | undefined {
  const tenant = /authorization="https:\/\/[^/"]+\/([^/"]+)/.exec(challenge)?.[1]?.toLowerCase();
  if (tenant === undefined || tenant === who.tenantId) return undefined;
  const remedy = who.kind === "user" ? `az login --tenant ${tenant}` : `log in as somebody of tenant ${tenant}`;
  return {
    reason: `vault ${new URL(keyUrl).host} is of tenant ${tenant}, this login of tenant ${who.tenantId}`,
    remedy,
  };
}

/** @param now seconds since 1970, by Azure's clock */
function unusable(keyUrl: string, { key, attributes }: KeyAnswer, now: number): KeyProblem | undefined {
  const set = (what: string) => `az keyvault key set-attributes ${what} --id ${keyUrl}`;
  const { enabled, exp, nbf } = attributes ?? {};
  if (enabled === false) {
    return { reason: `key ${keyUrl} is disabled`, remedy: `enable the key version: ${set("--enabled true")}` };
  }
  if (exp !== undefined && exp <= now) {
    const remedy = `${set("--expires LATER")}, or az keyvault key rotate and pulumi up --refresh`;
    return { reason: `key ${keyUrl} expired on ${day(exp)}`, remedy };
  }
  if (nbf !== undefined && nbf > now) {
    return { reason: `key ${keyUrl} is not valid before ${day(nbf)}`, remedy: set(`--not-before ${day(now)}`) };
  }
  const missing = ["encrypt", "decrypt"].filter((operation) => key?.key_ops?.includes(operation) === false);
  if (missing.length === 0) return undefined;
  return { reason: `key ${keyUrl} is not for ${missing.join(" and ")}`, remedy: set("--ops encrypt decrypt") };
}

/** @param seconds since 1970 */
function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}
