import type { JSONWebKeySet } from "jose";
import { runChild } from "../../../components/process/child-process";
import type { AzureView, LoginRequest } from "./login-rules";

const METADATA = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01";

type Answer<T> = { value: T } | { refused: string };

/** Asks by curl, through the proxy of the machine whose environment this is. A token goes by standard input. */
async function ask<T>(environment: NodeJS.ProcessEnv, url: string, headers: string[] = []): Promise<Answer<T>> {
  const config = headers.map((header) => `header = "${header}"\n`).join("");
  const args = ["--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--config", "-", url];
  const { PATH } = process.env;
  const { code, stdout, stderr } = await runChild("curl", args, {
    environment: { PATH, ...environment },
    input: Buffer.from(config),
  });
  if (code !== 0 && code !== 22) throw new Error(`${url} cannot be asked: ${stderr}`);
  const answer = JSON.parse(stdout.toString("utf8"));
  return code === 0 ? { value: answer } : { refused: answer.error?.code ?? answer.error ?? stderr };
}

/** A machine's token for an audience, from its metadata service. */
export async function machineToken(
  environment: NodeJS.ProcessEnv,
  resource: string,
  clientId?: string,
): Promise<string> {
  const identity = clientId ? `&client_id=${clientId}` : "";
  const url = `${METADATA}&resource=${encodeURIComponent(resource)}${identity}`;
  const answer = await ask<{ access_token: string }>(environment, url, ["Metadata: true"]);
  if ("refused" in answer) throw new Error(`the metadata service gives no token for ${resource}: ${answer.refused}`);
  return answer.value.access_token;
}

/**
 * Azure as a Vault node sees it that runs on a machine with an identity of its own: the tenant's keys, and what its
 * role lets it read.
 */
export async function azureSeenBy(environment: NodeJS.ProcessEnv, tenantId: string): Promise<AzureView> {
  const discovery = `https://login.microsoftonline.com/${tenantId}/.well-known/openid-configuration`;
  const { issuer, jwks_uri } = mustHave(await ask<{ issuer: string; jwks_uri: string }>(environment, discovery));
  const keys = mustHave(await ask<JSONWebKeySet>(environment, jwks_uri));
  return { issuer, keys, readMachine: (login) => readMachine(environment, login) };
}

function mustHave<T>(answer: Answer<T>): T {
  if ("refused" in answer) throw new Error(`Entra does not show the tenant's keys: ${answer.refused}`);
  return answer.value;
}

interface ArmMachine {
  location: string;
  identity?: { principalId?: string; userAssignedIdentities?: Record<string, { principalId?: string }> };
}

async function readMachine(environment: NodeJS.ProcessEnv, { subscriptionId, resourceGroup, vmName }: LoginRequest) {
  const token = await machineToken(environment, "https://management.azure.com/");
  const group = `https://management.azure.com/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const url = `${group}/providers/Microsoft.Compute/virtualMachines/${vmName}?api-version=2024-07-01`;
  const answer = await ask<ArmMachine>(environment, url, [`Authorization: Bearer ${token}`]);
  if ("refused" in answer) return answer;
  const { location, identity } = answer.value;
  const assigned = Object.values(identity?.userAssignedIdentities ?? {}).map(({ principalId }) => principalId);
  return { location, principalIds: [identity?.principalId, ...assigned].filter((id) => id !== undefined) };
}
