import type { PropertyMap } from "../values";
import type { World } from "../world";
import { type Row, tellRefusals } from "./table";

function vaultWith(properties: PropertyMap, vaultName = "vault2") {
  return ({ place, tenantId }: World): PropertyMap => {
    const common = { tenantId, sku: { family: "A", name: "standard" } };
    return { ...place, vaultName, properties: { ...common, ...properties } };
  };
}

const checked: Row[] = [
  [
    "a vault's name of two characters",
    "keyvault:Vault",
    vaultWith({}, "ab"),
    `'vaultName' must be 3-24 letters, digits and hyphens, a letter first, no hyphen last, no two hyphens together, got "ab"`,
  ],
  ["a vault's name with two hyphens", "keyvault:Vault", vaultWith({}, "a--b"), `got "a--b"`],
  ["a vault's name of 25 characters", "keyvault:Vault", vaultWith({}, "a".repeat(25)), `got "${"a".repeat(25)}"`],
  [
    "a vault with no properties",
    "keyvault:Vault",
    ({ place }) => ({ ...place, vaultName: "v-2" }),
    "missing required property 'properties'",
  ],
  [
    "a vault with no group",
    "keyvault:Vault",
    ({ tenantId }) => ({ vaultName: "v-2", properties: { tenantId, sku: { family: "A", name: "standard" } } }),
    "missing required property 'resourceGroupName'",
  ],
  [
    "a vault of no tenant",
    "keyvault:Vault",
    vaultWith({ tenantId: undefined }),
    "missing required property 'properties.tenantId'",
  ],
  [
    "a tenant that is no GUID",
    "keyvault:Vault",
    vaultWith({ tenantId: "mine" }),
    `'properties.tenantId' is not a GUID: "mine"`,
  ],
  [
    "a vault's sku of another name",
    "keyvault:Vault",
    vaultWith({ sku: { family: "A", name: "basic" } }),
    `'properties.sku.name' must be one of standard, premium, got "basic"`,
  ],
  [
    "a property that Azure does not know",
    "keyvault:Vault",
    vaultWith({ enableMagic: true }),
    "'properties.enableMagic' is not a property that Azure knows",
  ],
  [
    "a property that Azure sets itself",
    "keyvault:Vault",
    vaultWith({ hsmPoolResourceId: "x" }),
    "'properties.hsmPoolResourceId' is read-only: Azure sets it",
  ],
  [
    "a text where a boolean belongs",
    "keyvault:Vault",
    vaultWith({ enableRbacAuthorization: "yes" }),
    "'properties.enableRbacAuthorization' should be of type 'boolean' but got string",
  ],
  [
    "a key of another size",
    "keyvault:Key",
    ({ place }) => ({ ...place, vaultName: "vault1", properties: { kty: "RSA", keySize: 1024 } }),
    "'properties.keySize' must be one of 2048, 3072, 4096, got 1024",
  ],
  [
    "a key of another type",
    "keyvault:Key",
    ({ place }) => ({ ...place, vaultName: "vault1", properties: { kty: "AES" } }),
    `'properties.kty' must be one of RSA, RSA-HSM, got "AES"`,
  ],
  [
    "a key's name with an underscore",
    "keyvault:Key",
    ({ place }) => ({ ...place, vaultName: "vault1", keyName: "a_b", properties: { kty: "RSA" } }),
    `'keyName' must be 1-127 letters, digits and hyphens, got "a_b"`,
  ],
  [
    "an access policy of nobody",
    "keyvault:AccessPolicy",
    ({ place, tenantId }) => ({ ...place, vaultName: "vault1", policy: { tenantId } }),
    "missing required property 'policy.objectId'",
  ],
];

const refused: Row[] = [
  [
    "an explicit false for purge protection",
    "keyvault:Vault",
    vaultWith({ enablePurgeProtection: false }),
    `Code="BadRequest" Message="The property \\"enablePurgeProtection\\" cannot be set to false.`,
  ],
  [
    "a vault without soft delete",
    "keyvault:Vault",
    vaultWith({ enableSoftDelete: false }),
    `The property \\"enableSoftDelete\\" cannot be set to false`,
  ],
  [
    "soft delete of six days",
    "keyvault:Vault",
    vaultWith({ softDeleteRetentionInDays: 6 }),
    `has to be between 7 and 90, got 6.`,
  ],
  [
    "a vault of another tenant",
    "keyvault:Vault",
    vaultWith({ tenantId: "00000000-0000-0000-0000-000000000001" }),
    "Tenant 00000000-0000-0000-0000-000000000001 is not the tenant of the subscription",
  ],
  [
    "a policy with an unknown permission",
    "keyvault:Vault",
    (w) => vaultWith({ accessPolicies: [{ tenantId: w.tenantId, objectId: "o", permissions: { keys: ["look"] } }] })(w),
    "Invalid value found at accessPolicies[].permissions.keys[]: look",
  ],
  [
    "a vault's name that is taken in another group",
    "keyvault:Vault",
    (w) => ({ ...vaultWith({}, "VAULT1")(w), resourceGroupName: "group2" }),
    `Status=409 Code="VaultAlreadyExists" Message="The vault name 'VAULT1' is already in use.`,
  ],
  [
    "a key in a vault that is not there",
    "keyvault:Key",
    ({ place }) => ({ ...place, vaultName: "vault9", keyName: "k", properties: { kty: "RSA" } }),
    `Status=404 Code="ParentResourceNotFound" Message="Failed to perform 'write' on resource(s) of type 'vaults/keys', because the parent resource`,
  ],
  [
    "a hardware key in a standard vault",
    "keyvault:Key",
    ({ place }) => ({ ...place, vaultName: "vault1", keyName: "k", properties: { kty: "RSA-HSM" } }),
    "The key type 'RSA-HSM' needs a vault of sku premium; vault 'vault1' is standard.",
  ],
  [
    "a policy of a vault that is not there",
    "keyvault:AccessPolicy",
    ({ place, tenantId }) => ({ ...place, vaultName: "vault9", policy: { tenantId, objectId: "o" } }),
    `Status=404 Code="ResourceNotFound" Message="The Resource 'Microsoft.KeyVault/vaults/vault9' under resource group 'group1' was not found.`,
  ],
  [
    "a policy for somebody of another tenant",
    "keyvault:Vault",
    (w) => {
      const tenantId = "00000000-0000-0000-0000-000000000001";
      return vaultWith({ accessPolicies: [{ tenantId, objectId: "o", permissions: { keys: ["get"] } }] })(w);
    },
    "Access policies must use the vault's tenant ",
  ],
  [
    "two policies for one",
    "keyvault:Vault",
    (w) => {
      const policy = { tenantId: w.tenantId, objectId: "o", permissions: { keys: ["get"] } };
      return vaultWith({ accessPolicies: [policy, policy] })(w);
    },
    "Two access policies for object id o.",
  ],
];

tellRefusals({ checked, refused });
