import { type Row, tellRefusals } from "./table";

const checked: Row[] = [
  [
    "a group's name with a period at its end",
    "resources:ResourceGroup",
    () => ({ resourceGroupName: "a." }),
    `'resourceGroupName' must be 1-90 letters, digits, underscores, hyphens, periods and parentheses, no period at the end, got "a."`,
  ],
  [
    "an identity's name of two characters",
    "managedidentity:UserAssignedIdentity",
    ({ place }) => ({ ...place, resourceName: "ab" }),
    `'resourceName' must be 3-128 letters, digits, hyphens and underscores, a letter or digit first, got "ab"`,
  ],
];

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
];

tellRefusals({ checked, refused });
