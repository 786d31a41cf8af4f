/**
 * What tells Pulumi's provider who it is: configuration key `azure-native:KEY`, else these variables of the environment,
 * the first that is set.
 * Source: https://www.pulumi.com/registry/packages/azure-native/installation-configuration/
 */
const VARIABLES = {
  clientId: ["ARM_CLIENT_ID"],
  clientSecret: ["ARM_CLIENT_SECRET"],
  clientCertificatePath: ["ARM_CLIENT_CERTIFICATE_PATH"],
  clientCertificatePassword: ["ARM_CLIENT_CERTIFICATE_PASSWORD"],
  tenantId: ["ARM_TENANT_ID"],
  subscriptionId: ["ARM_SUBSCRIPTION_ID"],
  environment: ["ARM_ENVIRONMENT", "AZURE_ENVIRONMENT"],
  useMsi: ["ARM_USE_MSI"],
  useOidc: ["ARM_USE_OIDC"],
  useDefaultAzureCredential: ["ARM_USE_DEFAULT_AZURE_CREDENTIAL"],
  oidcAudience: ["ARM_OIDC_AUDIENCE"],
  oidcToken: ["ARM_OIDC_TOKEN"],
  oidcTokenFilePath: ["ARM_OIDC_TOKEN_FILE_PATH"],
  oidcRequestToken: ["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
  oidcRequestUrl: ["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL"],
} as const;

export type SettingName = keyof typeof VARIABLES;

export interface Setting {
  readonly value: string;
  /** Where it was found, as a person would set it: `azure-native:tenantId`, `ARM_TENANT_ID`. */
  readonly from: string;
}

/** Values may be secret: they go through memory and private sockets only. */
export type ProviderSettings = Readonly<Partial<Record<SettingName, Setting>>>;

/** @param config a value of `azure-native:KEY`, in clear */
export function providerSettings(
  config: (key: SettingName) => string | undefined,
  environment: NodeJS.ProcessEnv,
): ProviderSettings {
  const found = settingNames.map((name) => [name, settingOf(name, config(name), environment)] as const);
  return Object.fromEntries(found.filter(([, setting]) => setting !== undefined));
}

export const settingNames = Object.keys(VARIABLES) as SettingName[];

/** The variables that stand for a setting. */
export function variablesOf(name: SettingName): readonly string[] {
  return VARIABLES[name];
}

function settingOf(name: SettingName, configured: string | undefined, environment: NodeJS.ProcessEnv) {
  if (configured) return { value: configured, from: `azure-native:${name}` };
  const from = VARIABLES[name].find((variable) => environment[variable]);
  return from === undefined ? undefined : { value: environment[from] ?? "", from };
}

/** Whether the stack's configuration, and not the environment alone, says who acts. */
export function isConfigured(settings: ProviderSettings): boolean {
  const named = Object.entries(settings).filter(([name]) => name !== "subscriptionId" && name !== "environment");
  return named.some(([, { from }]) => from.startsWith("azure-native:"));
}
