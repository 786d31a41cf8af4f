import type { ProviderSettings, Setting } from "./provider-settings";

interface Application {
  readonly tenantId: string;
  readonly clientId: string;
  /** The setting that proves it, as a person would set it. */
  readonly from: string;
}

/** How to prove to Entra who acts. One way, chosen from what is set; no other is tried when it fails. */
export type Login =
  | (Application & { readonly how: "certificate"; readonly file: string; readonly password?: string })
  | (Application & { readonly how: "secret"; readonly secret: string })
  | (Application & { readonly how: "oidc"; readonly assertion: AssertionSource })
  | { readonly how: "managedIdentity"; readonly clientId?: string }
  | { readonly how: "default"; readonly tenantId?: string }
  | { readonly how: "az"; readonly tenantId?: string; readonly subscriptionId?: string };

/** Where the token of another issuer comes from, which Entra trades for its own. */
export type AssertionSource =
  | { readonly token: string }
  | { readonly file: string }
  | { readonly url: string; readonly bearer: string; readonly audience: string };

/** The settings name a principal in part only, or without a proof. */
export class LoginUnclear extends Error {}

/**
 * The login that Pulumi's provider makes of the same settings, in its order. Where these name nobody, a service
 * principal of `AZURE_*`, which the provider does not read: who acts is compared afterwards. Else `az`.
 * Source of the order: `newSingleMethodAuthCredential` in pulumi-azure-native.
 * @throws LoginUnclear
 */
export function chooseLogin(settings: ProviderSettings, environment: NodeJS.ProcessEnv): Login {
  const { clientCertificatePath: certificate, clientSecret: secret, clientCertificatePassword: password } = settings;
  const tenant = settings.tenantId === undefined ? {} : { tenantId: settings.tenantId.value };
  if (isTrue(settings.useDefaultAzureCredential)) return { how: "default", ...tenant };
  if (isTrue(settings.useOidc))
    return { how: "oidc", ...application(settings, "oidc"), assertion: assertionOf(settings) };
  if (certificate) {
    const known = { how: "certificate", ...application(settings, certificate.from), file: certificate.value } as const;
    return password ? { ...known, password: password.value } : known;
  }
  if (secret) return { how: "secret", ...application(settings, secret.from), secret: secret.value };
  if (isTrue(settings.useMsi)) {
    return { how: "managedIdentity", ...(settings.clientId && { clientId: settings.clientId.value }) };
  }
  if (settings.clientId) throw new LoginUnclear(withoutProof(settings.clientId));
  return environmentLogin(environment) ?? azLogin(settings, environment);
}

function application(settings: ProviderSettings, from: string): Application {
  const { clientId, tenantId } = settings;
  if (clientId && tenantId) return { clientId: clientId.value, tenantId: tenantId.value, from };
  const missing = clientId ? "ARM_TENANT_ID" : "ARM_CLIENT_ID";
  throw new LoginUnclear(
    `${from === "oidc" ? (settings.useOidc?.from ?? from) : from} is set and ${missing} is not: set ${missing}`,
  );
}

function withoutProof({ value, from }: Setting): string {
  const proofs = "ARM_CLIENT_SECRET, ARM_CLIENT_CERTIFICATE_PATH, ARM_USE_OIDC or ARM_USE_MSI";
  return `${from} names ${value}, and nothing that is set proves it: set ${proofs}, or unset ${from} to act as az is logged in`;
}

function assertionOf(settings: ProviderSettings): AssertionSource {
  const { oidcToken, oidcTokenFilePath, oidcRequestUrl, oidcRequestToken, oidcAudience } = settings;
  if (oidcToken) return { token: oidcToken.value };
  if (oidcTokenFilePath) return { file: oidcTokenFilePath.value };
  const audience = oidcAudience?.value ?? "api://AzureADTokenExchange";
  if (oidcRequestUrl && oidcRequestToken) {
    return { url: oidcRequestUrl.value, bearer: oidcRequestToken.value, audience };
  }
  throw new LoginUnclear(
    `${settings.useOidc?.from} is set, but no token is at hand: set ARM_OIDC_TOKEN, or permissions: id-token: write in the workflow`,
  );
}

/** Source: https://pkg.go.dev/github.com/Azure/azure-sdk-for-go/sdk/azidentity#EnvironmentCredential */
function environmentLogin(environment: NodeJS.ProcessEnv): Login | undefined {
  const { AZURE_CLIENT_ID: clientId, AZURE_TENANT_ID: tenantId } = environment;
  if (!clientId || !tenantId) return undefined;
  const { AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_CLIENT_CERTIFICATE_PASSWORD } = environment;
  const known = { clientId, tenantId };
  if (AZURE_CLIENT_SECRET) {
    return { how: "secret", ...known, secret: AZURE_CLIENT_SECRET, from: "AZURE_CLIENT_SECRET" };
  }
  if (AZURE_CLIENT_CERTIFICATE_PATH) {
    const password = AZURE_CLIENT_CERTIFICATE_PASSWORD ? { password: AZURE_CLIENT_CERTIFICATE_PASSWORD } : {};
    const from = "AZURE_CLIENT_CERTIFICATE_PATH";
    return { how: "certificate", ...known, file: AZURE_CLIENT_CERTIFICATE_PATH, ...password, from };
  }
  const { AZURE_FEDERATED_TOKEN_FILE: file } = environment;
  return file ? { how: "oidc", ...known, assertion: { file }, from: "AZURE_FEDERATED_TOKEN_FILE" } : undefined;
}

/** Who is logged in to several tenants means the one that Pulumi's provider works in, not the default of `az`. */
function azLogin({ tenantId, subscriptionId }: ProviderSettings, environment: NodeJS.ProcessEnv): Login {
  const tenant = tenantId?.value ?? environment.AZURE_TENANT_ID;
  if (tenant) return { how: "az", tenantId: tenant };
  return { how: "az", ...(subscriptionId && { subscriptionId: subscriptionId.value }) };
}

/** How somebody is logged in, for people. */
export function howText(login: Login): string {
  switch (login.how) {
    case "certificate":
      return `the certificate of ${login.from}`;
    case "secret":
      return login.from;
    case "oidc":
      return login.from === "oidc" ? "OIDC" : login.from;
    case "managedIdentity":
      return "a managed identity (ARM_USE_MSI)";
    case "default":
      return "ARM_USE_DEFAULT_AZURE_CREDENTIAL";
    case "az":
      return "az login";
  }
}

function isTrue(setting: Setting | undefined): boolean {
  return ["true", "1"].includes((setting?.value ?? "").toLowerCase());
}
