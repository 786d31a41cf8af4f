import type { ChildResult } from "../../process/child-process";
import type { Explain, SopsFailure } from "./failure";
import { recipientFailures } from "./recipient-failure";

type Run = Pick<ChildResult, "stderr" | "timedOut" | "code" | "signal">;

const UNREACHABLE = "check the network, the proxy variables and that the vault exists (az keyvault list)";

/** The first that matches decides. */
const explanations: readonly (readonly [RegExp, Explain])[] = [
  // One without the command `encrypt` takes that word for a file's name, and looks for keys in its configuration.
  [
    /flag provided but not defined|No help topic for|[Nn]o matching creation rules|no creation rules|non-existent file/,
    tooOld,
  ],
  [/RESPONSE (\d{3}):/, (match, text) => answerOf(Number(match[1]), text.slice(0, match.index), text)],
  [
    /failed to acquire a token/,
    () => ({
      reason: "Key Vault cannot be asked, and nobody else's key opens",
      remedy: "log in, or name a recipient's key, as in SOPS_AGE_KEY_FILE",
      passing: false,
    }),
  ],
  [
    /x509: [^"\]]*/,
    ([said]) => ({
      reason: `Key Vault's certificate is not accepted: ${said.replace(/^x509: /, "").trim()}`,
      remedy: "set SSL_CERT_FILE to the authority of the proxy between",
      passing: false,
    }),
  ],
  [
    /proxyconnect[^"]*|no such host|connection (?:reset|refused)|i\/o timeout|TLS handshake \w+|\bEOF\b|network is unreachable|": [A-Z][a-z]+ [A-Z]?[a-z]+/,
    ([said]) => ({
      reason: `Key Vault cannot be reached: ${said.replace(/^": /, "").trim()}`,
      remedy: UNREACHABLE,
      passing: true,
    }),
  ],
  ...recipientFailures,
];

/** What is known of a run of sops besides what it says. */
export interface Circumstances {
  /** What it was given to seal: then only known phrases are shown, and none that repeats some of it. */
  readonly plaintext?: Uint8Array | undefined;
  /** Programs that it starts for recipients besides the vault. */
  readonly helpers?: readonly string[];
}

/** Explains a run of sops that did not succeed, with the log of Azure's library on (`AZURE_SDK_GO_LOGGING=all`). */
export function explainFailure(result: Run, { plaintext, helpers = [] }: Circumstances = {}): SopsFailure {
  const [asked] = [...result.stderr.matchAll(/^ *Retry-After: (\d+)$/gm)].slice(-1);
  const failure =
    (result.timedOut ? hangingHelper(result.stderr, helpers) : undefined) ?? explain(result, plaintext !== undefined);
  const isShown = plaintext === undefined || !repeats(`${failure.reason} ${failure.remedy}`, plaintext);
  return { ...(isShown ? failure : withheld(result)), ...(asked && { waitMs: Number(asked[1]) * 1000 }) };
}

function explain(result: Run, isGivenPlaintext: boolean): SopsFailure {
  if (result.timedOut) return lastAnswer(result.stderr);
  const text = ownMessage(result.stderr);
  for (const [pattern, explainMatch] of explanations) {
    const match = pattern.exec(text);
    if (match) return explainMatch(match, text);
  }
  // Of what sops says while it seals, this alone is known to be about keys.
  if (isGivenPlaintext && text !== "" && !text.startsWith("Could not generate data key")) return withheld(result);
  const said = text.slice(0, 400) || "it says nothing";
  return { reason: `sops ${ending(result)}: ${said}`, remedy: "see what sops says", passing: false, unexplained: true };
}

function withheld(result: Run): SopsFailure {
  return {
    reason: `sops ${ending(result)}, its words are not shown as they may repeat the secret`,
    remedy: "echo test | sops encrypt --input-type binary --azure-kv KEY_URL /dev/stdin shows them without it",
    passing: false,
    unexplained: true,
  };
}

function ending({ code, signal }: Run): string {
  return code === null ? `was ended by ${signal}` : `ended with code ${code}`;
}

/** Whether a text has a piece of the plaintext in it: 16 bytes of it in a row, or all of a shorter one. */
function repeats(text: string, plaintext: Uint8Array): boolean {
  const secret = Buffer.from(plaintext).toString("latin1").trim();
  const length = Math.min(16, secret.length);
  const shown = Buffer.from(text).toString("latin1");
  const starts = Array.from({ length: Math.max(0, shown.length - length + 1) }, (_, index) => index);
  return secret.length > 0 && starts.some((start) => secret.includes(shown.slice(start, start + length)));
}

/** What sops itself says in the end, on one line: it wraps its lines, and Azure's library logs before. */
function ownMessage(stderr: string): string {
  const start = stderr.search(/^(?:Could not generate data key|Failed to get the data key|Error )/m);
  const own = start < 0 ? stderr : stderr.slice(start);
  return own
    .replace(/\n\s*\| ?/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Of a call that was cut off after the vault had answered, or without it: who is then asked, if it is anybody. */
function hangingHelper(log: string, helpers: readonly string[]): SopsFailure | undefined {
  if (helpers.length === 0) return undefined;
  const [last] = [...log.matchAll(/OUTGOING REQUEST|Retry: [^\n]*/g)].slice(-1);
  if (last !== undefined && !last[0].startsWith("Retry: exit due to")) return undefined; // the vault is being asked
  const [status] = [...log.matchAll(/Retry: response (\d{3})/g)].slice(-1);
  const refusal = status && Number(status[1]) >= 400 ? `, after Key Vault answered ${status[1]}` : "";
  const remedy = "it may wait for a passphrase, a PIN or a touch: run it by hand, or change sealed-onion:recipients";
  return { reason: `${helpers.join(" or ")} does not answer in time${refusal}`, remedy, passing: false };
}

/** Of a call that was cut off while Azure's library was still trying: Azure's last answer. */
function lastAnswer(log: string): SopsFailure {
  const [last] = [...log.matchAll(/RESPONSE Status: (\d{3}) ?([^\n]*)|Retry: error ([^\n]*)/g)].slice(-1);
  const status = Number(last?.[1] ?? 0);
  if (status > 401) return azureAnswer(status, { code: last?.[2] ?? "" });
  const error = last?.[3]?.replace(/^.*": /, "");
  const reason = error ? `Key Vault cannot be reached: ${error}` : "Key Vault does not answer in time";
  return { reason, remedy: UNREACHABLE, passing: true };
}

function tooOld(): SopsFailure {
  return { reason: "this sops is too old", remedy: "install 3.11 or later", passing: false, unexplained: true };
}

/** Names the host that gave the answer: a token service's is not the vault's. */
function answerOf(status: number, before: string, text: string): SopsFailure {
  const host = [...before.matchAll(/\b(?:GET|POST) https?:\/\/([^/\s?]+)/g)].at(-1)?.[1];
  if (host === undefined || /\.vault\./.test(host)) {
    return azureAnswer(status, { ...azureError(text), key: keyOf(text) });
  }
  const { code = "", message = "" } = azureError(text);
  const reason = `${host} answers ${status}${code && ` ${code}`}${message && `: ${message}`}`;
  return { reason, remedy: "see its reason: the vault was not reached", passing: status === 429 || status >= 500 };
}

interface AzureError {
  code?: string | undefined;
  message?: string | undefined;
  /** The URL of the key version that was used. */
  key?: string | undefined;
}

function keyOf(text: string): string | undefined {
  return /https:\/\/[^/\s]+\/keys\/[^/\s]+\/\w+/.exec(text)?.[0];
}

/** Source of the codes: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
function azureAnswer(status: number, answer: AzureError): SopsFailure {
  const { code = "", message = "", key = "KEY_URL" } = answer;
  const reason = `Key Vault answers ${status}${code && ` ${code}`}${message && `: ${message}`}`;
  const isPassing = status === 403 || status === 408 || status === 429 || status >= 500;
  const [remedy, passing] = remedyOf(status, `${code} ${message}`, key) ?? ["see Azure's reason", isPassing];
  return { reason, remedy, passing };
}

function remedyOf(status: number, said: string, key: string): [remedy: string, passing: boolean] | undefined {
  if (status === 401) return ["log in again, in the tenant of the vault", false];
  const attributes = (set: string) => `az keyvault key set-attributes ${set} --id ${key}`;
  if (/disabled key|KeyDisabled|is disabled|key is not enabled/i.test(said) && !/network/i.test(said)) {
    return [`enable the key version: ${attributes("--enabled true")}`, false];
  }
  if (/expired key|KeyExpired/i.test(said)) {
    return [`${attributes("--expires LATER")}, or az keyvault key rotate and pulumi up --refresh`, false];
  }
  if (/not (?:yet )?valid\b|KeyNotYetValid/i.test(said)) return [attributes("--not-before EARLIER"), false];
  if (/not permitted on this key|KeyOperationForbidden/i.test(said)) {
    return [attributes("--ops encrypt decrypt"), false];
  }
  const firewalled = firewallRemedy(said);
  if (firewalled !== undefined) return firewalled;
  // A policy or a role that was just made takes effect a while later.
  if (status === 403) return ["add OBJECT-ID to sealed-onion:sealers, or wait: a new right takes minutes", true];
  if (status === 404)
    return [`recover it with ${recovery(key)}; where it is gone for good, pulumi up --refresh`, false];
  return status === 429 || status >= 500 ? ["try again later", true] : undefined;
}

function recovery(key: string): string {
  const [, vault = "VAULT", name = "KEY"] = /^https:\/\/([^./]+)[^/]*\/keys\/([^/]+)/.exec(key) ?? [];
  return `az keyvault key recover --vault-name ${vault} --name ${name}`;
}

/** A rule that was just made takes effect a while later, as a right does. A closed door stays closed. */
function firewallRemedy(said: string): [remedy: string, passing: boolean] | undefined {
  if (/ForbiddenByConnection|network access is disabled/i.test(said)) {
    const inside = "run it in a network that reaches the vault's private endpoint";
    return [`${inside}, or set sealed-onion:network.publicAccess to on and network.allow to this address`, false];
  }
  if (!/ForbiddenByFirewall|is not authorized and caller is not a trusted/i.test(said)) return undefined;
  const address = /Client address: ([\d.]+)/.exec(said)?.[1]?.replace(/\.$/, "");
  return [`add ${address ?? "this address"} to sealed-onion:network.allow, then pulumi up`, true];
}

/** Azure's error body: its inner code says more than the outer one. */
function azureError(text: string): AzureError {
  const code = /"innererror": \{ "code": "([^"]*)"/.exec(text)?.[1] ?? /"code": "([^"]*)"/.exec(text)?.[1];
  const message = /"message": "((?:[^"\\]|\\.)*)"/.exec(text)?.[1]?.replace(/\\r|\\n/g, " ");
  const said = message
    ?.replace(/ ?For help resolving this issue.*/, "")
    .replace(/\s+/g, " ")
    .replace(/[. ]+$/, "")
    .slice(0, 500);
  return { ...(code && { code }), ...(said && { message: said }) };
}
