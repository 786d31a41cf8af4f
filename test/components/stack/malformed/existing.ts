import type { Malformed } from "./working";

const GROUP = "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/shared/providers";
const VAULT = `${GROUP}/Microsoft.KeyVault/vaults/shared`;
const SUBNET = `${GROUP}/Microsoft.Network/virtualNetworks/hub/subnets/onions`;

const IDENTITY = `${GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/shared`;
const ZONE = `${GROUP}/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net`;
const GRANT = `${GROUP.replace("/providers", "")}/providers/Microsoft.Authorization/roleAssignments/01234567-89ab-4def-8123-456789abcdef`;

/** What exists and is named wrongly, or does not fit. */
export const EXISTING: readonly Malformed[] = [
  [
    "a mistyped kind of what exists",
    { existing: { vualt: VAULT } },
    'existing has an unknown key "vualt", allowed are resourceGroup, vault, key, identity, storageAccount, gallery, subnet, vaultZone, blobZone, workspace: did you mean "vault"',
  ],
  [
    "a group's name that Azure does not take",
    { existing: { resourceGroup: "a/b" } },
    'existing.resourceGroup must be a resource group\'s name or id (az group list --query [].name), got "a/b": set sealed-onion:existing.resourceGroup',
  ],
  [
    "a vault by its name",
    { existing: { vault: "shared" } },
    'existing.vault must be an id /subscriptions/ID/resourceGroups/NAME/providers/Microsoft.KeyVault/vaults/NAME (az keyvault list --query [].id), got "shared": set sealed-onion:existing.vault',
  ],
  [
    "a vault in the place of an identity",
    { existing: { identity: VAULT } },
    `existing.identity must be an id /subscriptions/ID/resourceGroups/NAME/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME (az identity list --query [].id), got "${VAULT.slice(0, 60)}…": set sealed-onion:existing.identity`,
  ],
  [
    "a key without its vault",
    { existing: { key: `${VAULT}/keys/sealing` } },
    "existing.key is no key of existing.vault, which is not set: set sealed-onion:existing.vault to the vault of the key",
  ],
  [
    "a key of another vault",
    { authorization: "rbac", existing: { vault: VAULT, key: `${VAULT}2/keys/sealing` } },
    `existing.key is no key of existing.vault, which is ${VAULT}: set sealed-onion:existing.vault to the vault of the key`,
  ],
  [
    "a workspace by its name",
    { existing: { workspace: "logs" } },
    'existing.workspace must be an id /subscriptions/ID/resourceGroups/NAME/providers/Microsoft.OperationalInsights/workspaces/NAME (az monitor log-analytics workspace list --query [].id), got "logs": set sealed-onion:existing.workspace',
  ],
  [
    "a zone for another service's names",
    { existing: { vaultZone: `${GROUP}/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net` } },
    `existing.vaultZone must be an id /subscriptions/ID/resourceGroups/NAME/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.NAME (az network private-dns zone list --query [].id), got "${GROUP.slice(0, 60)}…": set sealed-onion:existing.vaultZone`,
  ],
  [
    "a zone without private endpoints",
    { network: { allow: [] }, outbound: "subnet", existing: { subnet: SUBNET, blobZone: ZONE } },
    "existing.blobZone is for private endpoints, and network.privateEndpoints is not true: set sealed-onion:network.privateEndpoints to true",
  ],
  [
    "a zone that the stack's own network does not ask",
    { network: { privateEndpoints: true }, existing: { blobZone: ZONE } },
    "existing.blobZone is asked by networks that it is linked to, and the stack's own is none of them: set sealed-onion:existing.subnet to a subnet of such a network",
  ],
  [
    "a grant by a role's name",
    { grants: ["Storage Blob Data Contributor"] },
    'grants[0] must be the id of a role assignment, got "Storage Blob Data Contributor": set sealed-onion:grants[0]',
  ],
  [
    "grants of somebody who is not there yet",
    { grants: [GRANT] },
    "grants names what was granted before, and the machine's identity is yet to be made: set sealed-onion:existing.identity",
  ],
  [
    "grants beside a role that is made with the stack",
    {
      "vault:address": "https://vault.example.com:8200",
      vaultAuth: { principals: ["01234567-89ab-4def-8123-456789abcdef"], roles: { web: { policies: ["web"] } } },
      grants: [GRANT],
      existing: { identity: IDENTITY },
    },
    "grants is set, and vaultAuth asks for roles that are made with the stack: remove sealed-onion:grants, or sealed-onion:vaultAuth",
  ],
  [
    "an upload by somebody unheard of",
    { image: { upload: "sas" } },
    'image.upload must be granted or own, got "sas": set sealed-onion:image.upload',
  ],
  [
    "an existing vault whose policies would have to change",
    { existing: { vault: VAULT } },
    'authorization must be rbac for existing.vault, whose access policies are a part of it, got "accessPolicy": set sealed-onion:authorization to rbac',
  ],
  [
    "an existing gallery for a managed image",
    { existing: { gallery: `${GROUP}/Microsoft.Compute/galleries/shared` } },
    'image.publish must be gallery for existing.gallery, got "managed": set sealed-onion:image.publish to gallery',
  ],
  [
    "a NAT gateway for somebody else's subnet",
    { outbound: "natGateway", existing: { subnet: SUBNET } },
    'outbound must be subnet for existing.subnet, which has a way out of its own, got "natGateway": set sealed-onion:outbound to subnet',
  ],
  [
    "the way out of a subnet that is not named",
    { outbound: "subnet" },
    "outbound is subnet, and existing.subnet names none: set sealed-onion:existing.subnet to the id of a subnet with a way out",
  ],
  [
    "an existing identity for several machines",
    {
      authorization: "rbac",
      replicas: 2,
      existing: { identity: `${GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/shared` },
    },
    "existing.identity is for one machine, and replicas asks for several: remove sealed-onion:existing.identity, or sealed-onion:replicas",
  ],
];
