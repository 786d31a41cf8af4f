import type { TokenCredential } from "@azure/core-auth";
import { azureEnvironment } from "./azure-credentials";

/**
 * Who reads and writes blobs: the principal that Pulumi's Azure provider uses. In this order: OIDC as in GitHub Actions
 * (`ARM_USE_OIDC`), a service principal by secret, certificate or federated token file (`ARM_*` or `AZURE_*`), a managed
 * identity (`ARM_USE_MSI`), whoever is logged in with `az`, and at last this machine's own managed identity. Account
 * keys are never used.
 * @see https://www.pulumi.com/registry/packages/azure-native/installation-configuration/
 */
export async function storageCredential(environment: NodeJS.ProcessEnv): Promise<TokenCredential> {
  // A tenth of a second to load: only where a token is needed.
  const identity = await import("@azure/identity");
  const settings = azureEnvironment(environment);
  const { AZURE_CLIENT_ID: clientId, AZURE_TENANT_ID: tenantId } = settings;
  const authority = settings.AZURE_AUTHORITY_HOST ? { authorityHost: settings.AZURE_AUTHORITY_HOST } : {};
  if (clientId && tenantId) {
    const assertion = oidcAssertion(environment);
    if (assertion) return new identity.ClientAssertionCredential(tenantId, clientId, assertion, authority);
    const { AZURE_CLIENT_SECRET: secret, AZURE_CLIENT_CERTIFICATE_PATH: certificatePath } = settings;
    if (secret) return new identity.ClientSecretCredential(tenantId, clientId, secret, authority);
    if (certificatePath) {
      const certificatePassword = settings.AZURE_CLIENT_CERTIFICATE_PASSWORD;
      const certificate = { certificatePath, ...(certificatePassword ? { certificatePassword } : {}) };
      return new identity.ClientCertificateCredential(tenantId, clientId, certificate, authority);
    }
    const tokenFilePath = settings.AZURE_FEDERATED_TOKEN_FILE;
    if (tokenFilePath)
      return new identity.WorkloadIdentityCredential({ tenantId, clientId, tokenFilePath, ...authority });
  }
  const managedIdentity = new identity.ManagedIdentityCredential(clientId ? { clientId } : {});
  if (settings.AZURE_TOKEN_CREDENTIALS === "ManagedIdentityCredential") return managedIdentity;
  return new identity.ChainedTokenCredential(new identity.AzureCliCredential(), managedIdentity);
}

/** What proves a workload's identity to Entra ID, asked for anew for each token: such proofs live for minutes. */
function oidcAssertion(environment: NodeJS.ProcessEnv): (() => Promise<string>) | undefined {
  if (!["true", "1"].includes((environment.ARM_USE_OIDC ?? "").toLowerCase())) return undefined;
  const { ARM_OIDC_TOKEN: token } = environment;
  if (token) return async () => token;
  const url = environment.ARM_OIDC_REQUEST_URL || environment.ACTIONS_ID_TOKEN_REQUEST_URL;
  const bearer = environment.ARM_OIDC_REQUEST_TOKEN || environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  return url && bearer ? () => requestAssertion(url, bearer) : undefined;
}

/** @see https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token */
async function requestAssertion(url: string, bearer: string): Promise<string> {
  const target = new URL(url);
  target.searchParams.set("audience", "api://AzureADTokenExchange");
  const response = await fetch(target, { headers: { authorization: `Bearer ${bearer}`, accept: "application/json" } });
  if (!response.ok) throw new Error(`${target.host} gave no OIDC token: HTTP ${response.status}`);
  const { value } = (await response.json()) as { value?: unknown };
  if (typeof value !== "string") throw new Error(`${target.host} gave an answer without an OIDC token`);
  return value;
}
