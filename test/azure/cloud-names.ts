/** Where one of Azure's clouds has its services, and what it calls itself. Hosts, without a slash at the end. */
export interface CloudNames {
  /** As `azEnvironment` of a machine's instance metadata says it. */
  readonly environment: string;
  /** Entra ID's hosts: the first is the one that documents name. */
  readonly login: readonly [string, ...string[]];
  /** `iss` of tokens of version 1 and 2: before and after the tenant's id. */
  readonly issuers: readonly [v1: string, v2: readonly [before: string, after: string]];
  /** What vaults' hosts end in: `NAME.vault.azure.net`. */
  readonly vault: string;
  /** What accounts' hosts end in: `NAME.blob.core.windows.net`. */
  readonly storage: string;
  readonly resourceManager: string;
  /** Audiences of Resource Manager's tokens, besides its own host. */
  readonly managementAudience: string;
}

/** Source: `az cloud show --name AzureCloud`, and each cloud's own discovery documents. */
export const CLOUD_NAMES = {
  public: {
    environment: "AzurePublicCloud",
    login: ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    issuers: ["https://sts.windows.net/", ["https://login.microsoftonline.com/", "/v2.0"]],
    vault: "vault.azure.net",
    storage: "core.windows.net",
    resourceManager: "management.azure.com",
    managementAudience: "management.core.windows.net",
  },
  usgovernment: {
    environment: "AzureUSGovernmentCloud",
    login: ["login.microsoftonline.us", "login.usgovcloudapi.net"],
    issuers: ["https://sts.windows.net/", ["https://login.microsoftonline.us/", "/v2.0"]],
    vault: "vault.usgovcloudapi.net",
    storage: "core.usgovcloudapi.net",
    resourceManager: "management.usgovcloudapi.net",
    managementAudience: "management.core.usgovcloudapi.net",
  },
  china: {
    environment: "AzureChinaCloud",
    login: ["login.chinacloudapi.cn", "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"],
    issuers: ["https://sts.chinacloudapi.cn/", ["https://login.partner.microsoftonline.cn/", "/v2.0"]],
    vault: "vault.azure.cn",
    storage: "core.chinacloudapi.cn",
    resourceManager: "management.chinacloudapi.cn",
    managementAudience: "management.core.chinacloudapi.cn",
  },
} as const satisfies Readonly<Record<string, CloudNames>>;

export type CloudName = keyof typeof CLOUD_NAMES;

/** The name before the cloud's own in a host: a vault's, with its suffix; undefined for other hosts. */
export function nameBefore(host: string, suffix: string): string | undefined {
  return host.endsWith(`.${suffix}`) ? host.slice(0, -suffix.length - 1) : undefined;
}

/** `iss` of a tenant's tokens. */
export function issuerOf({ issuers: [v1, [before, after]] }: CloudNames, tenantId: string, version: 1 | 2): string {
  return version === 1 ? `${v1}${tenantId}/` : `${before}${tenantId}${after}`;
}
