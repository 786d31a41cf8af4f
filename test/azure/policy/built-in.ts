import type { Condition } from "./policy-rule";

/** A policy that Azure brings: its id, the name that people know, and what it denies where it is assigned to deny. */
export interface PolicyDefinition {
  readonly guid: string;
  readonly displayName: string;
  readonly denies: Condition;
}

const VAULT = "Microsoft.KeyVault/vaults";
const ACCOUNT = "Microsoft.Storage/storageAccounts";
const CARD = "Microsoft.Network/networkInterfaces";
const of = (type: string, ...conditions: Condition[]): Condition => ({
  allOf: [{ field: "type", equals: type }, ...conditions],
});
const without = (type: string, alias: string, equals: unknown) =>
  of(type, { field: `${type}/${alias}`, notEquals: equals });

const ADDRESS_OF_CARD = `${CARD}/ipconfigurations[*].publicIpAddress.id`;
const CLOSED = { field: `${VAULT}/publicNetworkAccess`, notEquals: "Disabled" };

/** Source: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policyDefinitions (their rules, in short) */
export const BUILT_IN = {
  keyVaultPublicAccess: {
    guid: "405c5871-3e91-4644-8a63-58e19d68ff5b",
    displayName: "Azure Key Vault should disable public network access",
    denies: of(VAULT, CLOSED),
  },
  keyVaultFirewall: {
    guid: "55615ac9-af46-4a59-874e-391cc3dfb490",
    displayName: "Azure Key Vault should have firewall enabled or public network access disabled",
    denies: of(VAULT, CLOSED, { field: `${VAULT}/networkAcls.defaultAction`, notEquals: "Deny" }),
  },
  keyVaultDeletionProtection: {
    guid: "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53",
    displayName: "Key vaults should have deletion protection enabled",
    denies: without(VAULT, "enablePurgeProtection", "true"),
  },
  keyVaultRbac: {
    guid: "12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5",
    displayName: "Azure Key Vault should use RBAC permission model",
    denies: without(VAULT, "enableRbacAuthorization", "true"),
  },
  storagePublicAccess: {
    guid: "b2982f36-99f2-4db5-8eff-283140c09693",
    displayName: "Storage accounts should disable public network access",
    denies: without(ACCOUNT, "publicNetworkAccess", "Disabled"),
  },
  storageFirewall: {
    guid: "34c877ad-507e-4c82-993e-3452a6e0ad3c",
    displayName: "Storage accounts should restrict network access",
    denies: without(ACCOUNT, "networkAcls.defaultAction", "Deny"),
  },
  storageSharedKey: {
    guid: "8c6a50c6-9ffd-4ae7-986f-5fa6111f9a54",
    displayName: "Storage accounts should prevent shared key access",
    denies: without(ACCOUNT, "allowSharedKeyAccess", "false"),
  },
  storageAnonymous: {
    guid: "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751",
    displayName: "Storage account public access should be disallowed",
    denies: without(ACCOUNT, "allowBlobPublicAccess", "false"),
  },
  storageSecureTransfer: {
    guid: "404c3081-a854-4457-ae30-26a93ef643f9",
    displayName: "Secure transfer to storage accounts should be enabled",
    denies: without(ACCOUNT, "supportsHttpsTrafficOnly", "true"),
  },
  storageTls: {
    guid: "fe83a0eb-a853-422d-aac2-1bffd182c5d0",
    displayName: "Storage accounts should have the specified minimum TLS version",
    denies: without(ACCOUNT, "minimumTlsVersion", "TLS1_2"),
  },
  noPublicAddress: {
    guid: "83a86a26-fd1f-447c-b59d-e51f44264114",
    displayName: "Network interfaces should not have public IPs",
    denies: of(CARD, { count: { field: ADDRESS_OF_CARD }, greater: 0 }),
  },
  noAddresses: {
    guid: "6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
    displayName: "Not allowed resource types",
    denies: { field: "type", equals: "Microsoft.Network/publicIPAddresses" },
  },
  subnetFirewall: {
    guid: "e71308d3-144b-4262-b144-efdc3cc90517",
    displayName: "Subnets should be associated with a Network Security Group",
    denies: of("Microsoft.Network/virtualNetworks/subnets", {
      field: "Microsoft.Network/virtualNetworks/subnets/networkSecurityGroup.id",
      exists: "false",
    }),
  },
  machineExtensions: {
    guid: "c0e996f8-39cf-4af9-9f45-83fbde810432",
    displayName: "Only approved VM extensions should be installed",
    denies: { field: "type", equals: "Microsoft.Compute/virtualMachines/extensions" },
  },
  managedDisks: {
    guid: "06a78e20-9358-41c9-923c-fb736d382a4d",
    displayName: "Audit VMs that do not use managed disks",
    denies: of("Microsoft.Compute/virtualMachines", {
      field: "Microsoft.Compute/virtualMachines/osDisk.uri",
      exists: "true",
    }),
  },
  encryptionAtHost: {
    guid: "fc4d8e41-e223-45ea-9bf5-eada37891d87",
    displayName: "Virtual machines and virtual machine scale sets should have encryption at host enabled",
    denies: without("Microsoft.Compute/virtualMachines", "securityProfile.encryptionAtHost", "true"),
  },
  tagTeam: {
    guid: "871b6d14-10aa-478d-b590-94f262ecfa99",
    displayName: "Require a tag on resources",
    denies: {
      allOf: [
        { field: "tags['team']", exists: "false" },
        { field: "location", exists: "true" },
      ],
    },
  },
} as const satisfies Readonly<Record<string, PolicyDefinition>>;

export type BuiltInPolicy = keyof typeof BUILT_IN;
