import type { AccessToken } from "@azure/core-auth";
import { runChild } from "../process/child-process";
import { ProgramMissing } from "../process/find-program";
import { howToInstall } from "../process/tools";
import { LoginFailure } from "./login-failure";

/** `az` is a Python program: on a busy machine its start alone takes many seconds. */
const LIMIT_MS = 120_000;

/**
 * Asks `az` for a token, and hands over its own words where it gives none: Azure's library for Node keeps them to itself.
 * @param tenantId the tenant; `az` takes either this or a subscription
 * @throws LoginFailure
 */
export async function tokenFromAz(
  scope: string,
  { tenantId, subscriptionId }: { tenantId?: string; subscriptionId?: string },
): Promise<AccessToken> {
  const resource = scope.replace(/\/\.default$/, "");
  const where = tenantId ? ["--tenant", tenantId] : subscriptionId ? ["--subscription", subscriptionId] : [];
  const result = await runAz(["account", "get-access-token", "--output", "json", "--resource", resource, ...where]);
  if (result.timedOut) {
    throw new LoginFailure(`az gives no token within ${LIMIT_MS / 1000} s: see whether az account show works`, true);
  }
  if (result.code !== 0) throw refusal(result.stderr, tenantId);
  try {
    return parseToken(result.stdout.toString("utf8"));
  } finally {
    result.stdout.fill(0);
  }
}

async function runAz(argv: string[]) {
  try {
    return await runChild("az", argv, { deadlineMs: LIMIT_MS });
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    const remedy = "log in with az login, or set ARM_CLIENT_ID, ARM_TENANT_ID and ARM_CLIENT_SECRET";
    throw new LoginFailure(
      `no Azure credentials are at hand (az is not on PATH: ${howToInstall("az")}): ${remedy}`,
      false,
    );
  }
}

function refusal(stderr: string, tenantId: string | undefined): LoginFailure {
  const lines = stderr.split("\n").map((line) => line.trim());
  const said = lines.find((line) => line.startsWith("ERROR: ")) ?? lines.filter((line) => line !== "").at(-1);
  const words = (said ?? "nothing")
    .replace(/^ERROR: /, "")
    .replace(/[. ]+$/, "")
    .slice(0, 500);
  const isPassing =
    /Max retries exceeded|NewConnectionError|NameResolutionError|Connection aborted|timed out|temporarily_unavailable|AADSTS90033/;
  if (isPassing.test(words)) return new LoginFailure(`az gives no token, it says: ${words}: check the network`, true);
  const remedy = tenantId === undefined ? "az login" : `az login --tenant ${tenantId}`;
  return new LoginFailure(`az gives no token, it says: ${words}: type ${remedy}`, false);
}

/** `expires_on` (seconds) since 2.54; before that `expiresOn`, a local time. */
function parseToken(text: string): AccessToken {
  const isToken = (value: unknown): value is { accessToken: string; expires_on?: number; expiresOn?: string } =>
    typeof (value as { accessToken?: unknown } | null)?.accessToken === "string";
  const answer = ((): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined; // shown below as what it is: no token
    }
  })();
  const remedy = "see whether the az on PATH is the Azure CLI (az --version)";
  if (!isToken(answer)) throw new LoginFailure(`az ends well and prints no token: ${remedy}`, false);
  const expiresOnTimestamp = answer.expires_on ? Number(answer.expires_on) * 1000 : Date.parse(answer.expiresOn ?? "");
  if (Number.isNaN(expiresOnTimestamp)) throw new LoginFailure(`az does not say when its token ends: ${remedy}`, false);
  return { token: answer.accessToken, expiresOnTimestamp };
}
