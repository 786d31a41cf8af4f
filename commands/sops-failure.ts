import type { ChildResult } from "./child-process";

/** Why sops failed, for people. It holds no plaintext: sops's messages name keys and repeat Azure's answers only. */
export interface SopsFailure {
  /** What happened, with Azure's own reason where there is one. */
  readonly reason: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether the same call may succeed in a while. */
  readonly passing: boolean;
}

type Explain = (match: RegExpExecArray, text: string) => SopsFailure;

const logIn = "log in with az login, or set ARM_CLIENT_ID, ARM_TENANT_ID and ARM_CLIENT_SECRET";
const unreachable = "check the network, the proxy variables and that the vault exists (az keyvault list)";

/** The first that matches decides. */
const explanations: readonly (readonly [RegExp, Explain])[] = [
  [/flag provided but not defined|No help topic for/, tooOld],
  [
    /AADSTS\d+: [^\n"\\]*/,
    ([reason]) => ({ reason: `Entra refuses: ${reason.trim()}`, remedy: logIn, passing: false }),
  ],
  [/RESPONSE (\d{3})/, (match, text) => azureAnswer(Number(match[1]), text)],
  [
    /DefaultAzureCredential: failed to acquire a token|AuthenticationFailedError|credential.*unavailable/i,
    () => ({ reason: "no Azure credentials work here", remedy: logIn, passing: false }),
  ],
  [
    /proxyconnect[^\n]*|no such host|connection re(?:set|fused)[^\n]*|i\/o timeout|TLS handshake[^\n]*|unexpected EOF|: EOF|x509: [^\n]*|server misbehaving|network is unreachable/,
    ([reason]) => ({
      reason: `Key Vault cannot be reached: ${reason.replace(/^: /, "")}`,
      remedy: unreachable,
      passing: true,
    }),
  ],
  [
    /([0-9A-F]{40})[^\n]*(?:No public key|not found|key .* not available)|gpg: ([0-9A-F]{40}): skipped/,
    ([, first, second]) => ({
      reason: `the public key of PGP recipient ${first ?? second} is not in the keyring`,
      remedy: `gpg --recv-keys ${first ?? second}, or gpg --import its file`,
      passing: false,
    }),
  ],
];

/** Explains how a run of sops ended that did not succeed. */
export function explainFailure(result: Pick<ChildResult, "stderr" | "timedOut" | "code" | "signal">): SopsFailure {
  if (result.timedOut) return { reason: "Key Vault does not answer in time", remedy: unreachable, passing: true };
  for (const [pattern, explain] of explanations) {
    const match = pattern.exec(result.stderr);
    if (match) return explain(match, result.stderr);
  }
  const last = result.stderr.trim().split("\n").slice(-4).join(" ").replace(/\s+/g, " ");
  const ending = result.code === null ? `was ended by ${result.signal}` : `ended with code ${result.code}`;
  return { reason: `sops ${ending}: ${last || "it says nothing"}`, remedy: "see what sops says", passing: false };
}

function tooOld(): SopsFailure {
  return { reason: "this sops is too old", remedy: "install 3.11 or later", passing: false };
}

/** Source of the codes: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
function azureAnswer(status: number, text: string): SopsFailure {
  const { code, message } = azureError(text);
  const reason = `Key Vault answers ${[status, code].filter(Boolean).join(" ")}${message ? `: ${message}` : ""}`;
  const said = `${code ?? ""} ${message ?? ""}`;
  if (status === 401) return { reason, remedy: `${logIn}, in the tenant of the vault`, passing: false };
  if (/disabled/i.test(said)) {
    return { reason, remedy: "enable the key version: az keyvault key set-attributes --enabled true", passing: false };
  }
  if (/firewall|public network access|not authorized .* (?:ip|client) address/i.test(said)) {
    return { reason, remedy: "let this address through the vault's firewall", passing: false };
  }
  if (status === 403) {
    return { reason, remedy: "add your object id to sealed-onion:sealers (az ad signed-in-user show)", passing: true };
  }
  if (status === 404) {
    return { reason, remedy: "recover the key (az keyvault key recover), or pulumi refresh and up", passing: false };
  }
  const passing = status === 408 || status === 429 || status >= 500;
  return { reason, remedy: passing ? "try again later" : "see Azure's reason", passing };
}

/** Azure's error body as the Go SDK prints it: the inner code says more than the outer one. */
function azureError(text: string): { code?: string; message?: string } {
  const codes = [...text.matchAll(/"code":\s*"([^"]*)"/g)].map((match) => match[1] ?? "");
  const message = /"message":\s*"((?:[^"\\]|\\.)*)"/
    .exec(text)?.[1]
    ?.replace(/\\r|\\n/g, " ")
    .replace(/\s+/g, " ");
  return { ...(codes.length > 0 && { code: codes.at(-1) ?? "" }), ...(message && { message: message.slice(0, 400) }) };
}
