import { beforeEach, describe, expect, it } from "vitest";
import type { PropertyMap } from "./values";
import { goodBlob, makeWorld, SSH_KEY, vhdFooter, type World } from "./world";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

/** What is refused, the type, the inputs, and the error as the user reads it. */
type Row = [what: string, token: string, inputs: (world: World) => PropertyMap, error: string];

function vaultWith(properties: PropertyMap, vaultName = "vault2") {
  return ({ place, tenantId }: World): PropertyMap => {
    const common = { tenantId, sku: { family: "A", name: "standard" } };
    return { ...place, vaultName, properties: { ...common, ...properties } };
  };
}

const checked: Row[] = [
  [
    "a group's name with a period at its end",
    "resources:ResourceGroup",
    () => ({ resourceGroupName: "a." }),
    `'resourceGroupName' must be 1-90 letters, digits, underscores, hyphens, periods and parentheses, no period at the end, got "a."`,
  ],
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
  [
    "an identity's name of two characters",
    "managedidentity:UserAssignedIdentity",
    ({ place }) => ({ ...place, resourceName: "ab" }),
    `'resourceName' must be 3-128 letters, digits, hyphens and underscores, a letter or digit first, got "ab"`,
  ],
  [
    "an account's name in capitals",
    "storage:StorageAccount",
    ({ place }) => ({ ...place, accountName: "Account", kind: "StorageV2", sku: { name: "Standard_LRS" } }),
    `'accountName' must be 3-24 lower-case letters and digits, got "Account"`,
  ],
  [
    "an account of another sku",
    "storage:StorageAccount",
    ({ place }) => ({ ...place, accountName: "acc", kind: "StorageV2", sku: { name: "Cheap" } }),
    `'sku.name' must be one of Standard_LRS, Standard_GRS`,
  ],
  [
    "an account without a kind",
    "storage:StorageAccount",
    ({ place }) => ({ ...place, accountName: "acc", sku: { name: "Standard_LRS" } }),
    "missing required property 'kind'",
  ],
  [
    "a container's name with a capital",
    "storage:BlobContainer",
    ({ place }) => ({ ...place, accountName: "account1", containerName: "Images" }),
    `'containerName' must be 3-63 lower-case letters, digits and hyphens`,
  ],
  [
    "an image of another generation",
    "compute:Image",
    ({ place }) => ({ ...place, imageName: "i", hyperVGeneration: "V3" }),
    `'hyperVGeneration' must be one of V1, V2, got "V3"`,
  ],
  [
    "an image's disk without a state",
    "compute:Image",
    ({ place, blobUri }) => ({ ...place, imageName: "i", storageProfile: { osDisk: { osType: "Linux", blobUri } } }),
    "missing required property 'storageProfile.osDisk.osState'",
  ],
  [
    "a gallery's name with a hyphen",
    "compute:Gallery",
    ({ place }) => ({ ...place, galleryName: "a-b" }),
    `'galleryName' must be 1-80 letters, digits, underscores and periods, a letter or digit at both ends, got "a-b"`,
  ],
  [
    "a version that is no three numbers",
    "compute:GalleryImageVersion",
    ({ place }) => ({
      ...place,
      galleryName: "gallery1",
      galleryImageName: "definition1",
      galleryImageVersionName: "1.0",
      storageProfile: {},
    }),
    `'galleryImageVersionName' must be three 32-bit numbers with periods between them, as in 1.0.0, got "1.0"`,
  ],
  [
    "a machine's name with an underscore",
    "compute:VirtualMachine",
    ({ machine }) => machine({ vmName: "a_b" }),
    `'vmName' must be 1-64 letters, digits, periods and hyphens, a letter or digit at both ends, got "a_b"`,
  ],
  [
    "a machine without a size",
    "compute:VirtualMachine",
    ({ machine }) => machine({ hardwareProfile: undefined }),
    "missing required property 'hardwareProfile'",
  ],
  [
    "a disk that is made in no way",
    "compute:VirtualMachine",
    ({ machine, image }) => machine({ storageProfile: { imageReference: { id: image.id }, osDisk: {} } }),
    "missing required property 'storageProfile.osDisk.createOption'",
  ],
  [
    "identities as a map",
    "compute:VirtualMachine",
    ({ machine, identity }) =>
      machine({ identity: { type: "UserAssigned", userAssignedIdentities: { [identity.id]: {} } } }),
    "'identity.userAssignedIdentities' should be of type 'array of strings' but got object",
  ],
  [
    "a rule of another direction",
    "network:NetworkSecurityGroup",
    ({ place }) => ({
      ...place,
      securityRules: [{ name: "r", direction: "Sideways", access: "Deny", protocol: "*", priority: 100 }],
    }),
    `'securityRules[0].direction' must be one of Inbound, Outbound, got "Sideways"`,
  ],
  [
    "a NAT gateway without a sku",
    "network:NatGateway",
    ({ place }) => ({ ...place }),
    "missing required property 'sku'",
  ],
];

const NOT_FOUND =
  "was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.";

function galleryVersion(change: PropertyMap): (world: World) => PropertyMap {
  return ({ place, image }) => {
    const name = { galleryName: "gallery1", galleryImageName: "definition1", galleryImageVersionName: "1.0.0" };
    return { ...place, ...name, storageProfile: { source: { id: image.id } }, ...change };
  };
}

function imageOf(blobUri: string): (world: World) => PropertyMap {
  return ({ place }) => {
    const osDisk = { osType: "Linux", osState: "Generalized", blobUri };
    return { ...place, imageName: "image2", hyperVGeneration: "V2", storageProfile: { osDisk } };
  };
}

function rule(change: PropertyMap): PropertyMap {
  const anything = {
    sourceAddressPrefix: "*",
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: "*",
  };
  return { name: "one", direction: "Inbound", access: "Deny", protocol: "*", priority: 100, ...anything, ...change };
}

const refused: Row[] = [
  [
    "a group in a region that is none",
    "resources:ResourceGroup",
    () => ({ resourceGroupName: "g", location: "atlantis" }),
    `Status=400 Code="LocationNotAvailableForResourceGroup" Message="The provided location 'atlantis' is not available for resource group."`,
  ],
  [
    "a second group of that name",
    "resources:ResourceGroup",
    ({ place }) => ({ ...place }),
    "cannot create already existing resource '/subscriptions/",
  ],
  [
    "a resource in a group that is not there",
    "compute:Gallery",
    () => ({ resourceGroupName: "nowhere", galleryName: "g" }),
    `Status=404 Code="ResourceGroupNotFound" Message="Resource group 'nowhere' could not be found."`,
  ],
  [
    "a resource in a region that is none",
    "compute:Gallery",
    ({ place }) => ({ ...place, galleryName: "g", location: "atlantis" }),
    `Status=400 Code="LocationNotAvailableForResourceType" Message="The provided location 'atlantis' is not available for resource type 'Microsoft.Compute/galleries'."`,
  ],
  [
    "51 tags",
    "compute:Gallery",
    ({ place }) => ({
      ...place,
      galleryName: "g",
      tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`t${i}`, ""])),
    }),
    `Status=400 Code="InvalidTags" Message="A resource has at most 50 tags, got 51."`,
  ],
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
    "an account's name that is taken",
    "storage:StorageAccount",
    () => ({ resourceGroupName: "group2", accountName: "account1", kind: "StorageV2", sku: { name: "Standard_LRS" } }),
    `Status=409 Code="StorageAccountAlreadyTaken" Message="The storage account named account1 is already taken."`,
  ],
  [
    "a public container in a closed account",
    "storage:BlobContainer",
    ({ place }) => ({ ...place, accountName: "account1", containerName: "open", publicAccess: "Blob" }),
    `Status=409 Code="PublicAccessNotPermitted" Message="Public access is not permitted on this storage account."`,
  ],
  [
    "a container in an account that is not there",
    "storage:BlobContainer",
    ({ place }) => ({ ...place, accountName: "account9", containerName: "images" }),
    `Code="ParentResourceNotFound"`,
  ],
  [
    "a role that does not exist",
    "authorization:RoleAssignment",
    ({ account, me }) => ({
      scope: account.id,
      principalId: me.objectId,
      roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/00000000-0000-0000-0000-000000000001",
    }),
    "The specified role definition with ID '00000000-0000-0000-0000-000000000001' does not exist.",
  ],
  [
    "a role that is named by its GUID alone",
    "authorization:RoleAssignment",
    ({ account, me }) => ({
      scope: account.id,
      principalId: me.objectId,
      roleDefinitionId: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }),
    `Code="InvalidRoleDefinitionId"`,
  ],
  [
    "a principal that does not exist",
    "authorization:RoleAssignment",
    ({ account }) => ({
      scope: account.id,
      principalId: "nobody",
      roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }),
    `Status=400 Code="PrincipalNotFound" Message="Principal nobody does not exist in the directory`,
  ],
  [
    "a fresh identity whose type is not told",
    "authorization:RoleAssignment",
    ({ account, identity }) => ({
      scope: account.id,
      principalId: identity.outputs.principalId,
      roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }),
    "In this case, set the role assignment principalType property to a value",
  ],
  [
    "an identity that is called a user",
    "authorization:RoleAssignment",
    ({ account, identity }) => ({
      scope: account.id,
      principalId: identity.outputs.principalId,
      principalType: "User",
      roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }),
    `Code="UnmatchedPrincipalType"`,
  ],
  [
    "a role for a scope that is not there",
    "authorization:RoleAssignment",
    ({ account, me }) => ({
      scope: `${account.id}x`,
      principalId: me.objectId,
      roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }),
    `Status=404 Code="ResourceNotFound" Message="The scope`,
  ],
  [
    "a custom role of a built-in name",
    "authorization:RoleDefinition",
    ({ group }) => ({ scope: group.id, roleName: "Reader", permissions: [], assignableScopes: [group.id] }),
    `Code="RoleDefinitionWithSameNameExists"`,
  ],
  [
    "a custom role that can be assigned nowhere",
    "authorization:RoleDefinition",
    ({ group }) => ({ scope: group.id, roleName: "Mine", permissions: [], assignableScopes: [] }),
    "A custom role needs at least one assignable scope.",
  ],
  [
    "a custom role outside of its scopes",
    "authorization:RoleDefinition",
    ({ group, account }) => ({ scope: group.id, roleName: "Mine", permissions: [], assignableScopes: [account.id] }),
    "must be among the assignable scopes.",
  ],
  [
    "an image of a blob that is not there",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/none.vhd"),
    `Status=404 Code="ImageBlobNotFound" Message="Unable to find VHD blob with URI https://account1.blob.core.windows.net/images/none.vhd for disk 'image2'."`,
  ],
  [
    "an image of a URL that is no blob's",
    "compute:Image",
    imageOf("https://example.com/x.vhd"),
    "of parameter 'imageDisk.blobUri' is not a blob's URL.",
  ],
  [
    "an image of an account that is not there",
    "compute:Image",
    imageOf("https://account9.blob.core.windows.net/images/x.vhd"),
    "The storage account account9 was not found.",
  ],
  [
    "an image of a block blob",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/block.vhd"),
    "is a BlockBlob: disk 'image2' needs a page blob.",
  ],
  [
    "an image of a blob without a footer",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/raw.img"),
    `Status=409 Code="InvalidVhd" Message="The specified cookie value in VHD footer indicates that the disk is not a supported VHD. Disk is expected to have cookie value 'conectix'.`,
  ],
  [
    "an image of a footer with a wrong sum",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/damaged.vhd"),
    "The checksum in the VHD footer does not match its content.",
  ],
  [
    "an image of a dynamic disk",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/dynamic.vhd"),
    "Only fixed VHDs are supported: the footer says disk type 3.",
  ],
  [
    "an image of half a MiB",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/odd.vhd"),
    "The disk has an unsupported virtual size of 524288 bytes. The size must be a whole number (in MBs).",
  ],
  [
    "an image of a cut blob",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/cut.vhd"),
    "The footer says 1048576 bytes, the blob holds 524288 before it.",
  ],
  [
    "an image in another region than its blob",
    "compute:Image",
    (w) => ({ ...imageOf(w.blobUri)(w), location: "northeurope" }),
    `Code="SourceStorageAccountRegionMismatch"`,
  ],
  [
    "an image of nothing",
    "compute:Image",
    ({ place }) => ({ ...place, imageName: "i" }),
    "An image needs either a source virtual machine or a storage profile.",
  ],
  [
    "a second definition of the same three names",
    "compute:GalleryImage",
    ({ place }) => ({
      ...place,
      galleryName: "gallery1",
      galleryImageName: "d2",
      osType: "Linux",
      osState: "Generalized",
      identifier: { publisher: "p", offer: "o", sku: "s" },
    }),
    `Status=409 Code="Conflict" Message="A gallery image with the same publisher, offer and sku exists in this gallery."`,
  ],
  [
    "a version that is not in its own region",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "northeurope" }] } }),
    "The gallery image version's location 'westeurope' must be among its target regions northeurope.",
  ],
  [
    "a version in a region that is none",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "westeurope" }, { name: "atlantis" }] } }),
    "The target region 'atlantis' is not a region of Azure.",
  ],
  [
    "a version in one region twice",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "westeurope" }, { name: "West Europe" }] } }),
    "name one region twice.",
  ],
  [
    "a version with no replica",
    "compute:GalleryImageVersion",
    galleryVersion({ publishingProfile: { targetRegions: [{ name: "westeurope", regionalReplicaCount: 0 }] } }),
    "A region has 1 to 100 replicas, got 0",
  ],
  [
    "a version of nothing",
    "compute:GalleryImageVersion",
    galleryVersion({ storageProfile: {} }),
    "needs either storageProfile.source or storageProfile.osDiskImage.source.",
  ],
  [
    "a version of an image that is not there",
    "compute:GalleryImageVersion",
    (w) => galleryVersion({ storageProfile: { source: { id: `${w.image.id}x` } } })(w),
    `Status=404 Code="ResourceNotFound"`,
  ],
  [
    "a network of no network",
    "network:VirtualNetwork",
    ({ place }) => ({ ...place, virtualNetworkName: "v2", addressSpace: { addressPrefixes: ["10.0.0.1/24"] } }),
    `Status=400 Code="InvalidCIDRNotation" Message="The address prefix 10.0.0.1/24`,
  ],
  [
    "a subnet outside of its network",
    "network:Subnet",
    ({ place }) => ({ ...place, virtualNetworkName: "vnet1", subnetName: "s", addressPrefix: "10.1.0.0/28" }),
    `Code="NetcfgSubnetRangeOutsideVnet" Message="Subnet 's' is not valid because its IP address range is outside the IP address range of virtual network 'vnet1'."`,
  ],
  [
    "a subnet over another",
    "network:Subnet",
    ({ place }) => ({ ...place, virtualNetworkName: "vnet1", subnetName: "s", addressPrefix: "10.0.0.8/29" }),
    `Code="NetcfgSubnetRangesOverlap"`,
  ],
  [
    "a subnet of four addresses",
    "network:Subnet",
    ({ place }) => ({ ...place, virtualNetworkName: "vnet1", subnetName: "s", addressPrefix: "10.0.0.32/30" }),
    `Code="NetcfgSubnetRangeTooSmall"`,
  ],
  [
    "a firewall that is not there",
    "network:Subnet",
    (w) => ({
      ...w.place,
      virtualNetworkName: "vnet1",
      subnetName: "s",
      addressPrefix: "10.0.0.32/28",
      networkSecurityGroup: { id: `${w.firewall.id}x` },
    }),
    NOT_FOUND,
  ],
  [
    "a firewall that is a network",
    "network:Subnet",
    (w) => ({
      ...w.place,
      virtualNetworkName: "vnet1",
      subnetName: "s",
      addressPrefix: "10.0.0.32/28",
      networkSecurityGroup: { id: w.network.id },
    }),
    `Code="LinkedInvalidPropertyId"`,
  ],
  [
    "a priority of 99",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, securityRules: [rule({ priority: 99 })] }),
    "Value provided: 99 Allowed range 100-4096.",
  ],
  [
    "two rules of one priority",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, securityRules: [rule({}), rule({ name: "two" })] }),
    "Security rule two conflicts with rule one. Rules cannot have the same Priority and Direction.",
  ],
  [
    "a rule for no port",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, securityRules: [rule({ destinationPortRange: undefined })] }),
    "Security rule one has neither destinationPortRange nor destinationPortRanges.",
  ],
  [
    "an address of the retired sku",
    "network:PublicIPAddress",
    ({ place }) => ({ ...place }),
    `Code="IPv4BasicSkuPublicIpCountLimitReached"`,
  ],
  [
    "a dynamic address of the standard sku",
    "network:PublicIPAddress",
    ({ place }) => ({ ...place, sku: { name: "Standard" }, publicIPAllocationMethod: "Dynamic" }),
    "must have AllocationMethod set to Static.",
  ],
  [
    "a card without a subnet",
    "network:NetworkInterface",
    ({ place }) => ({ ...place, ipConfigurations: [{ name: "one" }] }),
    `Code="IpConfigurationSubnetMissing"`,
  ],
  [
    "a card without a configuration",
    "network:NetworkInterface",
    ({ place }) => ({ ...place }),
    "must have at least one IP configuration.",
  ],
  [
    "an address that another card has",
    "network:NetworkInterface",
    (w) => ({
      ...w.place,
      ipConfigurations: [{ name: "one", subnet: { id: w.subnet.id }, publicIPAddress: { id: w.address.id } }],
    }),
    `Code="PublicIPAddressInUse"`,
  ],
  [
    "a card in another region than its subnet",
    "network:NetworkInterface",
    (w) => ({ ...w.place, location: "northeurope", ipConfigurations: [{ name: "one", subnet: { id: w.subnet.id } }] }),
    NOT_FOUND,
  ],
  [
    "a machine of an unknown size",
    "compute:VirtualMachine",
    ({ machine }) => machine({ hardwareProfile: { vmSize: "Standard_Huge" } }),
    "The value Standard_Huge provided for the VM size is not valid.",
  ],
  [
    "a Gen2 image on a Gen1 size",
    "compute:VirtualMachine",
    ({ machine }) => machine({ hardwareProfile: { vmSize: "Standard_A1_v2" } }),
    "The selected VM size 'Standard_A1_v2' cannot boot Hypervisor Generation '2'.",
  ],
  [
    "an image that is not there",
    "compute:VirtualMachine",
    ({ machine, image }) =>
      machine({ storageProfile: { imageReference: { id: `${image.id}x` }, osDisk: { createOption: "FromImage" } } }),
    `Status=404 Code="ImageNotFound"`,
  ],
  [
    "a machine in another region than its image",
    "compute:VirtualMachine",
    ({ machine }) => machine({ location: "northeurope", networkProfile: { networkInterfaces: [] } }),
    "is not available in northeurope region.",
  ],
  [
    "a machine without a card",
    "compute:VirtualMachine",
    ({ machine }) => machine({ networkProfile: { networkInterfaces: [] } }),
    "Virtual Machine must have at least one network interface",
  ],
  [
    "a machine with no way to log in",
    "compute:VirtualMachine",
    ({ machine, login }) =>
      machine({ osProfile: login({ linuxConfiguration: { disablePasswordAuthentication: true } }) }),
    "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
  ],
  [
    "a machine whose administrator is admin",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminUsername: "admin" }) }),
    "The Admin Username specified is not allowed: admin.",
  ],
  [
    "a key in another place",
    "compute:VirtualMachine",
    ({ machine, login }) =>
      machine({
        osProfile: login({
          linuxConfiguration: { ssh: { publicKeys: [{ path: "/root/.ssh/authorized_keys", keyData: SSH_KEY }] } },
        }),
      }),
    "Destination path for SSH public keys is currently limited to its default value /home/operator/.ssh/authorized_keys",
  ],
  [
    "a key that is none",
    "compute:VirtualMachine",
    ({ machine, login }) =>
      machine({
        osProfile: login({
          linuxConfiguration: {
            ssh: { publicKeys: [{ path: "/home/operator/.ssh/authorized_keys", keyData: "ssh-rsa AAAA" }] },
          },
        }),
      }),
    "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.",
  ],
  [
    "a short password",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminPassword: "short", linuxConfiguration: {} }) }),
    "must be between 12-72 characters long.",
  ],
  [
    "a password beside its ban",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminPassword: "long enough, surely" }) }),
    "'adminPassword' is not allowed with disablePasswordAuthentication.",
  ],
  [
    "a host name with a period",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ computerName: "a.b" }) }),
    "Linux host name 'a.b'",
  ],
  [
    "an ephemeral disk on a size without a cache",
    "compute:VirtualMachine",
    ({ machine, image }) =>
      machine({
        hardwareProfile: { vmSize: "Standard_D2s_v5" },
        storageProfile: {
          imageReference: { id: image.id },
          osDisk: { createOption: "FromImage", caching: "ReadOnly", diffDiskSettings: { option: "Local" } },
        },
      }),
    "The VM size 'Standard_D2s_v5' does not support ephemeral OS disks",
  ],
  [
    "an ephemeral disk larger than the cache",
    "compute:VirtualMachine",
    ({ machine, image }) =>
      machine({
        hardwareProfile: { vmSize: "Standard_D2s_v3" },
        storageProfile: {
          imageReference: { id: image.id },
          osDisk: {
            createOption: "FromImage",
            diskSizeGB: 64,
            caching: "ReadOnly",
            diffDiskSettings: { option: "Local" },
          },
        },
      }),
    "OS disk of Ephemeral VM with size greater than 50 GB is not allowed for VM size Standard_D2s_v3 when the DiffDiskPlacement is CacheDisk.",
  ],
  [
    "an ephemeral disk that is cached for writing",
    "compute:VirtualMachine",
    ({ machine, image }) =>
      machine({
        hardwareProfile: { vmSize: "Standard_D2s_v3" },
        storageProfile: {
          imageReference: { id: image.id },
          osDisk: { createOption: "FromImage", caching: "ReadWrite", diffDiskSettings: { option: "Local" } },
        },
      }),
    "'osDisk.caching' must be 'ReadOnly' for an ephemeral OS disk.",
  ],
  [
    "an identity of no kind",
    "compute:VirtualMachine",
    ({ machine, identity }) => machine({ identity: { type: "None", userAssignedIdentities: [identity.id] } }),
    "Identity type 'None' does not fit 1 user-assigned identities.",
  ],
  [
    "an identity that is not there",
    "compute:VirtualMachine",
    ({ machine, identity }) =>
      machine({ identity: { type: "UserAssigned", userAssignedIdentities: [`${identity.id}x`] } }),
    `Code="FailedIdentityOperation"`,
  ],
  [
    "trusted launch of a managed image",
    "compute:VirtualMachine",
    ({ machine }) => machine({ securityProfile: { securityType: "TrustedLaunch" } }),
    "Use of TrustedLaunch setting is not supported for the provided managed image.",
  ],
  [
    "user data that is no base64",
    "compute:VirtualMachine",
    ({ machine }) => machine({ userData: "hello" }),
    "userData is not base64.",
  ],
  [
    "too much user data",
    "compute:VirtualMachine",
    ({ machine }) => machine({ userData: Buffer.alloc(65_536).toString("base64") }),
    "userData has more than 65535 bytes.",
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
  [
    "an image of a blob that is no longer than a footer",
    "compute:Image",
    imageOf("https://account1.blob.core.windows.net/images/empty.vhd"),
    `Status=409 Code="InvalidVhd" Message="Blob https://account1.blob.core.windows.net/images/empty.vhd of 512 bytes holds no VHD."`,
  ],
  [
    "an image of a disk from nowhere",
    "compute:Image",
    ({ place }) => ({
      ...place,
      imageName: "image2",
      hyperVGeneration: "V2",
      storageProfile: { osDisk: { osType: "Linux", osState: "Generalized" } },
    }),
    "The OS disk of an image needs exactly one of blobUri, managedDisk and snapshot.",
  ],
  [
    "a rule without a name",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, networkSecurityGroupName: "nsg2", securityRules: [rule({ name: undefined })] }),
    "A security rule needs a name.",
  ],
  [
    "a disk of 4,096 GiB",
    "compute:VirtualMachine",
    ({ machine, image }) => {
      const osDisk = { createOption: "FromImage", diskSizeGB: 4096 };
      return machine({ storageProfile: { imageReference: { id: image.id }, osDisk } });
    },
    "The value '4096' of parameter 'osDisk.diskSizeGB' is out of range.",
  ],
  [
    "a machine without a host name",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ computerName: undefined }) }),
    "Required parameter 'computerName' is missing (null).",
  ],
  [
    "a machine without an administrator",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminUsername: undefined }) }),
    "Required parameter 'adminUsername' is missing (null).",
  ],
  [
    "a machine whose administrator has a space in the name",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminUsername: "a b" }) }),
    "The Admin Username 'a b' is not a valid Linux user name of 1-64 characters.",
  ],
  [
    "a machine without a profile",
    "compute:VirtualMachine",
    ({ machine }) => machine({ osProfile: undefined }),
    "Required parameter 'osProfile' is missing (null).",
  ],
];

async function addOddities({ blobs, create }: World): Promise<void> {
  const base = "https://account1.blob.core.windows.net/images/";
  const good = goodBlob();
  const damaged = Buffer.from(good.footer);
  damaged.writeUInt32BE(1, 64);
  const dynamic = Buffer.from(good.footer);
  dynamic.writeUInt32BE(3, 60);
  dynamic.writeUInt32BE(dynamic.readUInt32BE(64) - 1, 64);
  blobs.set(`${base}block.vhd`, { ...good, type: "BlockBlob" });
  blobs.set(`${base}empty.vhd`, { ...good, size: 512 });
  blobs.set(`${base}raw.img`, { ...good, footer: Buffer.alloc(512) });
  blobs.set(`${base}damaged.vhd`, { ...good, footer: damaged });
  blobs.set(`${base}dynamic.vhd`, { ...good, footer: dynamic });
  blobs.set(`${base}odd.vhd`, { ...good, size: 524_288 + 512, footer: vhdFooter(524_288) });
  blobs.set(`${base}cut.vhd`, { ...good, size: 524_288 + 512 });
  await create("resources:ResourceGroup", { resourceGroupName: "group2" });
}

describe("inputs that are refused before anything is asked of Azure", () => {
  it.each(checked)("%s", async (_, token, inputs, error) => {
    const { failures } = await world.check(token, inputs(world));
    expect(failures.map(({ reason }) => reason).join("; ")).toContain(error);
  });
});

describe("requests that Azure refuses", () => {
  it.each(refused)("%s", async (_, token, inputs, error) => {
    await addOddities(world);
    const before = world.cloud.list().length;
    await expect(world.create(token, inputs(world))).rejects.toThrow(error);
    expect(world.cloud.list()).toHaveLength(before);
  });
});

describe("changes that Azure refuses", () => {
  const changes: [
    what: string,
    which: (world: World) => World["vault"],
    change: (world: World) => PropertyMap,
    error: string,
  ][] = [
    [
      "a vault's days of soft delete",
      (w) => w.vault,
      ({ tenantId }) => ({
        properties: { tenantId, sku: { family: "A", name: "standard" }, softDeleteRetentionInDays: 7 },
      }),
      "has been set already and it can't be modified.",
    ],
    [
      "a key's size",
      (w) => w.key,
      () => ({ properties: { kty: "RSA", keySize: 3072 } }),
      "Key key1 exists: Azure keeps its keySize as it is, a new key needs a new name.",
    ],
    [
      "an account's kind",
      (w) => w.account,
      () => ({ kind: "BlobStorage" }),
      `Code="StorageAccountOperationNotAllowed"`,
    ],
    [
      "an image's blob",
      (w) => w.image,
      () => ({
        storageProfile: {
          osDisk: {
            osType: "Linux",
            osState: "Generalized",
            blobUri: "https://account1.blob.core.windows.net/images/x.vhd",
          },
        },
      }),
      "Changing property 'image.storageProfile' is not allowed.",
    ],
    [
      "a definition's generation",
      (w) => w.definition,
      () => ({ hyperVGeneration: "V1" }),
      "Changing property 'galleryImage.properties.hyperVGeneration' is not allowed.",
    ],
    [
      "a gallery's region",
      (w) => w.gallery,
      () => ({ location: "northeurope" }),
      `Status=409 Code="InvalidResourceLocation" Message="The resource 'gallery1' already exists in location 'westeurope' in resource group 'group1'.`,
    ],
    [
      "a network that no longer holds its subnet",
      (w) => w.network,
      () => ({ addressSpace: { addressPrefixes: ["10.2.0.0/24"] } }),
      `Code="NetcfgSubnetRangeOutsideVnet"`,
    ],
  ];
  it.each(changes)("%s", async (_, which, change, error) => {
    await expect(world.update(which(world), change(world))).rejects.toThrow(error);
  });

  it("a machine's image, login and cards", async () => {
    const { create, update, machine, login, image } = world;
    const made = await create("compute:VirtualMachine", machine());
    const storageProfile = { imageReference: { id: `${image.id}` }, osDisk: { createOption: "FromImage" } };
    await update(made, { tags: { a: "b" } });
    await update(made, { storageProfile });
    const another = await create("compute:Image", {
      ...made.inputs,
      ...imageOf(world.blobUri)(world),
      ...strip(made.inputs),
    });
    const change = { storageProfile: { ...storageProfile, imageReference: { id: another.id } } };
    await expect(update(made, change)).rejects.toThrow("Changing property 'imageReference' is not allowed.");
    await expect(update(made, { osProfile: login({ adminUsername: "other" }) })).rejects.toThrow(
      "Changing property 'adminUsername' is not allowed.",
    );
  });
});

/** Inputs of a machine that an image does not know. */
function strip(inputs: PropertyMap): PropertyMap {
  const foreign = Object.keys(inputs).filter((name) => !["resourceGroupName", "location"].includes(name));
  return Object.fromEntries(foreign.map((name) => [name, imageOf(world.blobUri)(world)[name]]));
}

describe("deletions that Azure refuses", () => {
  const deletions: [what: string, which: (world: World) => World["vault"], error: string][] = [
    ["a subnet with a card in it", (w) => w.subnet, `Code="InUseSubnetCannotBeDeleted"`],
    ["a network with a card in it", (w) => w.network, `Code="InUseSubnetCannotBeDeleted"`],
    ["a firewall of a subnet", (w) => w.firewall, `Code="InUseNetworkSecurityGroupCannotBeDeleted"`],
    ["an address of a card", (w) => w.address, `Code="PublicIPAddressCannotBeDeleted"`],
    ["a gallery with a definition in it", (w) => w.gallery, `Code="CannotDeleteResource"`],
  ];
  it.each(deletions)("%s", async (_, which, error) => {
    await expect(world.remove(which(world))).rejects.toThrow(error);
  });

  it("a card of a machine, and the card for a second machine", async () => {
    const { create, remove, machine, card } = world;
    await create("compute:VirtualMachine", machine());
    await expect(remove(card)).rejects.toThrow(`Status=400 Code="NicInUse"`);
    await expect(create("compute:VirtualMachine", machine({ vmName: "vm2" }))).rejects.toThrow(
      `Status=409 Code="NicInUse"`,
    );
  });

  it("a role that somebody has, and a second assignment of it", async () => {
    const { create, remove, group, me } = world;
    const definition = await create("authorization:RoleDefinition", {
      scope: group.id,
      roleName: "Mine",
      permissions: [{ actions: ["*/read"] }],
      assignableScopes: [group.id],
    });
    const assignment = {
      scope: group.id,
      principalId: me.objectId,
      roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${definition.id.split("/").at(-1)}`,
    };
    await create("authorization:RoleAssignment", assignment);
    await expect(remove(definition)).rejects.toThrow(`Code="RoleDefinitionHasAssignments"`);
    const again = { ...assignment, roleAssignmentName: "00000000-0000-0000-0000-000000000009" };
    await expect(create("authorization:RoleAssignment", again)).rejects.toThrow(
      `Status=409 Code="RoleAssignmentExists"`,
    );
  });
});

describe("names that are kept", () => {
  it("a deleted vault's, until it is purged", async () => {
    const { create, remove, cloud, vault, place, tenantId } = world;
    await remove(vault);
    const request = { ...place, vaultName: "vault1", properties: { tenantId, sku: { family: "A", name: "standard" } } };
    await expect(create("keyvault:Vault", request)).rejects.toThrow(
      `Status=409 Code="ConflictError" Message="A vault with the same name already exists in deleted state.`,
    );
    cloud.purgeVault("vault1");
    await create("keyvault:Vault", request);
  });

  it("a policy of somebody who has one, and two changes of a vault's policies at once", async () => {
    const { create, azure, place, tenantId } = world;
    const of = (objectId: string) => ({
      ...place,
      vaultName: "vault1",
      policy: { tenantId, objectId, permissions: { keys: ["get"] } },
    });
    const made = await create("keyvault:AccessPolicy", of("a"));
    await expect(create("keyvault:AccessPolicy", of("a"))).rejects.toThrow("access policy for a already exists");
    await expect(world.update(made, of("b"))).rejects.toThrow("access policy for b does not exist");
    const both = await Promise.allSettled([
      create("keyvault:AccessPolicy", of("c")),
      create("keyvault:AccessPolicy", of("d")),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(azure.package).toBe("azure-native");
  });
});
