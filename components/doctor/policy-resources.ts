import { accountNetwork, type NetworkGuard, vaultNetwork } from "../network/network-guard";
import { parseNetwork } from "../network/network-settings";

/** A resource as Azure would be asked for it, as far as a policy may look. */
export interface Planned {
  /** For people. */
  readonly what: string;
  readonly type: string;
  readonly apiVersion: string;
  readonly location: string;
  readonly tags: object;
  readonly properties: object;
}

/** What of a stack policies have most to say of. @param own a value of `sealed-onion:KEY` */
export function plannedResources(own: (key: string) => unknown, location: string): Planned[] {
  const object = (key: string) => (own(key) ?? {}) as Readonly<Record<string, unknown>>;
  const place = { location, tags: object("tags") };
  const existing = object("existing");
  const settings = parseNetwork({ path: "network", value: object("network") }, isOn(own("production")));
  const guard: NetworkGuard | undefined = settings && { ...settings, subnetIds: [], connect: () => [] };
  const outbound = own("outbound") ?? "publicIp";
  const publicly = outbound === "publicIp" ? { publicIPAddress: { id: "ADDRESS" } } : {};
  return [
    ...(existing.vault === undefined ? [{ ...place, ...plannedVault(own, guard) }] : []),
    ...(existing.storageAccount === undefined ? [{ ...place, ...plannedAccount(guard) }] : []),
    ...(outbound === "subnet" ? [] : [{ ...place, ...ADDRESS }]),
    { ...place, ...CARD, properties: { ipConfigurations: [{ name: "machine", properties: publicly }] } },
    {
      ...place,
      ...MACHINE,
      properties: { securityProfile: { encryptionAtHost: object("security").encryptionAtHost } },
    },
  ];
}

/** A file's booleans may be texts, as `pulumi config set` writes them. */
const isOn = (value: unknown) => `${value}` === "true";

const ADDRESS = {
  ...{ what: "the public address", type: "Microsoft.Network/publicIPAddresses", apiVersion: "2024-05-01" },
  properties: { publicIPAllocationMethod: "Static" },
};
const CARD = { what: "the NIC", type: "Microsoft.Network/networkInterfaces", apiVersion: "2024-05-01" };
const MACHINE = { what: "the VM", type: "Microsoft.Compute/virtualMachines", apiVersion: "2024-11-01" };

function plannedVault(own: (key: string) => unknown, guard: NetworkGuard | undefined) {
  const isKept = isOn(own("purgeProtection")) || isOn(own("production"));
  return {
    ...{ what: "the vault", type: "Microsoft.KeyVault/vaults", apiVersion: "2024-11-01" },
    properties: {
      enableSoftDelete: true,
      enableRbacAuthorization: own("authorization") === "rbac",
      ...(isKept ? { enablePurgeProtection: true } : {}),
      ...vaultNetwork(guard),
    },
  };
}

/** The rules have another name in a request than in Pulumi. */
function plannedAccount(guard: NetworkGuard | undefined) {
  const { networkRuleSet, publicNetworkAccess } = accountNetwork(guard);
  return {
    ...{ what: "the storage account", type: "Microsoft.Storage/storageAccounts", apiVersion: "2024-01-01" },
    properties: {
      ...{ allowBlobPublicAccess: false, allowSharedKeyAccess: false, allowCrossTenantReplication: false },
      ...{ supportsHttpsTrafficOnly: true, minimumTlsVersion: "TLS1_2" },
      publicNetworkAccess,
      networkAcls: { defaultAction: networkRuleSet.defaultAction },
    },
  };
}
