import type { TokenCredential } from "@azure/core-auth";
import { azureEnvironment, oidcAssertion } from "./azure-credentials";

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
  const loggedIn = new identity.AzureCliCredential(loginTenant(environment));
  return new identity.ChainedTokenCredential(loggedIn, managedIdentity);
}

/** Whoever is logged in to several tenants means the one that Pulumi's provider works in, not the CLI's default. */
function loginTenant({ ARM_TENANT_ID, AZURE_TENANT_ID }: NodeJS.ProcessEnv): { tenantId?: string } {
  const tenantId = ARM_TENANT_ID || AZURE_TENANT_ID;
  return tenantId ? { tenantId } : {};
}
