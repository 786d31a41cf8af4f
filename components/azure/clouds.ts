/** Where the parts of one of Azure's clouds are. Hosts only, without a slash at the end. */
export interface AzureCloud {
  readonly name: string;
  /** Entra ID. */
  readonly login: string;
  /** What hosts of vaults end in: `NAME.vault.azure.net`. */
  readonly vault: string;
  /** What hosts of storage accounts end in: `NAME.blob.core.windows.net`. */
  readonly storage: string;
  readonly resourceManager: string;
  /** What HashiCorp Vault calls it. */
  readonly vaultEnvironment: string;
}

const PUBLIC: AzureCloud = {
  name: "public",
  login: "login.microsoftonline.com",
  vault: "vault.azure.net",
  storage: "core.windows.net",
  resourceManager: "management.azure.com",
  vaultEnvironment: "AzurePublicCloud",
};

const US_GOVERNMENT: AzureCloud = {
  name: "usgovernment",
  login: "login.microsoftonline.us",
  vault: "vault.usgovcloudapi.net",
  storage: "core.usgovcloudapi.net",
  resourceManager: "management.usgovcloudapi.net",
  vaultEnvironment: "AzureUSGovernmentCloud",
};

const CHINA: AzureCloud = {
  name: "china",
  login: "login.chinacloudapi.cn",
  vault: "vault.azure.cn",
  storage: "core.chinacloudapi.cn",
  resourceManager: "management.chinacloudapi.cn",
  vaultEnvironment: "AzureChinaCloud",
};

/** By the names that Pulumi's provider takes, without case, and those of `az cloud list`. */
const CLOUDS: Readonly<Record<string, AzureCloud>> = {
  public: PUBLIC,
  azurecloud: PUBLIC,
  azurepubliccloud: PUBLIC,
  usgovernment: US_GOVERNMENT,
  usgovernmentl4: US_GOVERNMENT,
  usgovernmentl5: US_GOVERNMENT,
  azureusgovernment: US_GOVERNMENT,
  azureusgovernmentcloud: US_GOVERNMENT,
  china: CHINA,
  azurechinacloud: CHINA,
};

/**
 * The cloud that `azure-native:environment` or `ARM_ENVIRONMENT` names.
 * Source of the hosts: `az cloud show --name NAME`.
 * @param name @default public
 * @throws if there is no cloud of that name
 */
export function cloudNamed(name = "public"): AzureCloud {
  const cloud = CLOUDS[name.toLowerCase()];
  if (cloud) return cloud;
  const allowed = "public, usgovernment or china";
  throw new Error(`Azure environment must be ${allowed}, got "${name}": set azure-native:environment`);
}

/**
 * The private DNS zone in which a network finds private endpoints of vaults, or of blobs.
 * Source: https://learn.microsoft.com/azure/private-link/private-endpoint-dns
 */
export function privateZoneName({ storage, vault }: AzureCloud, kind: "blob" | "vault"): string {
  return `privatelink.${kind === "vault" ? vault.replace(/^vault\./, "vaultcore.") : `blob.${storage}`}`;
}

/** The scope of a token for the vaults of a cloud. */
export function vaultScope({ vault }: AzureCloud): string {
  return `https://${vault}/.default`;
}

/** The scope of a token for Resource Manager. */
export function managementScope({ resourceManager }: AzureCloud): string {
  return `https://${resourceManager}/.default`;
}
