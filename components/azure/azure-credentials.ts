/** The variables by which Pulumi's Azure providers are told who runs them, and what sops's Azure library calls them. */
const names = {
  ARM_CLIENT_ID: "AZURE_CLIENT_ID",
  ARM_CLIENT_SECRET: "AZURE_CLIENT_SECRET",
  ARM_TENANT_ID: "AZURE_TENANT_ID",
  ARM_CLIENT_CERTIFICATE_PATH: "AZURE_CLIENT_CERTIFICATE_PATH",
  ARM_CLIENT_CERTIFICATE_PASSWORD: "AZURE_CLIENT_CERTIFICATE_PASSWORD",
  ARM_OIDC_TOKEN_FILE_PATH: "AZURE_FEDERATED_TOKEN_FILE",
} as const;

const authorities: Readonly<Record<string, string>> = {
  usgovernment: "https://login.microsoftonline.us/",
  usgovernmentl4: "https://login.microsoftonline.us/",
  usgovernmentl5: "https://login.microsoftonline.us/",
  china: "https://login.chinacloudapi.cn/",
};

/**
 * The environment for a program that reads `AZURE_*` (sops), from one that may say `ARM_*` (Pulumi): whoever runs
 * `pulumi up` is then who seals. `ARM_*` wins as a whole where it names a principal, so that no mix of two arises.
 * Sources: https://www.pulumi.com/registry/packages/azure-native/installation-configuration/ and
 * https://pkg.go.dev/github.com/Azure/azure-sdk-for-go/sdk/azidentity#readme-environment-variables
 */
export function azureEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const mapped = { ...environment };
  const authority = authorities[(environment.ARM_ENVIRONMENT ?? "").toLowerCase()];
  if (authority !== undefined) mapped.AZURE_AUTHORITY_HOST = authority;
  if (isTrue(environment.ARM_USE_MSI)) {
    mapped.AZURE_TOKEN_CREDENTIALS = "ManagedIdentityCredential";
    if (environment.ARM_CLIENT_ID) mapped.AZURE_CLIENT_ID = environment.ARM_CLIENT_ID;
    return mapped;
  }
  if (!environment.ARM_CLIENT_ID || !environment.ARM_TENANT_ID) return withoutProbes(mapped);
  for (const [arm, azure] of Object.entries(names)) {
    delete mapped[azure];
    if (environment[arm]) mapped[azure] = environment[arm];
  }
  if (isTrue(environment.ARM_USE_OIDC)) delete mapped.AZURE_CLIENT_SECRET;
  return mapped;
}

/**
 * What gives an OIDC token that Pulumi would trade for Entra's: one that is set, or a new one from the CI system each
 * time, for they live for minutes.
 * @returns undefined where OIDC is not asked for, or its token lies in a file, which Azure's libraries read themselves
 * @throws if there is neither a token nor a CI system that gives one
 */
export function oidcAssertion(environment: NodeJS.ProcessEnv): (() => Promise<string>) | undefined {
  if (!isTrue(environment.ARM_USE_OIDC) || environment.ARM_OIDC_TOKEN_FILE_PATH) return undefined;
  const { ARM_OIDC_TOKEN: token } = environment;
  if (token) return async () => token;
  const url = environment.ARM_OIDC_REQUEST_URL || environment.ACTIONS_ID_TOKEN_REQUEST_URL;
  const bearer = environment.ARM_OIDC_REQUEST_TOKEN || environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  if (url && bearer) return () => requestToken(url, bearer);
  throw new Error(
    "ARM_USE_OIDC is set, but no token is at hand: set ARM_OIDC_TOKEN, or permissions: id-token: write in the workflow",
  );
}

/** Source: https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token */
async function requestToken(url: string, bearer: string): Promise<string> {
  const address = new URL(url);
  address.searchParams.set("audience", "api://AzureADTokenExchange");
  const headers = { Authorization: `Bearer ${bearer}`, Accept: "application/json" };
  const response = await fetch(address, { headers, signal: AbortSignal.timeout(30_000) });
  const { value } = (await response.json().catch(() => ({}))) as { value?: unknown };
  if (response.ok && typeof value === "string") return value;
  throw new Error(
    `${address.host} gives no OIDC token (${response.status}): check permissions: id-token in the workflow`,
  );
}

/** Nobody is named: whoever is logged in with a tool. Nothing else is tried, as a metadata service that is not there. */
function withoutProbes(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!environment.AZURE_CLIENT_ID && !environment.AZURE_USERNAME) environment.AZURE_TOKEN_CREDENTIALS ||= "dev";
  return environment;
}

function isTrue(value: string | undefined): boolean {
  return ["true", "1"].includes((value ?? "").toLowerCase());
}
