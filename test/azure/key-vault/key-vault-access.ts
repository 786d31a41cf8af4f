import type { Cloud, CloudResource } from "../cloud";
import { type Caller, describeCaller } from "../entra/bearer";
import { cloudError } from "../gateway/error-answers";
import type { Answer } from "../gateway/exchange";
import { admission } from "../network/admission";
import { VAULT_NETWORK } from "../provider/kinds/network-rules";
import { isAllowed } from "../resource-manager/authorization";

/** A right on keys by its two names. */
export interface KeyRight {
  /** In access policies: `get`, `list`, `encrypt`, `wrapKey` ... */
  policy: string;
  /** Last part of the RBAC data action: `read`, `encrypt/action` ... */
  dataAction: string;
}

interface AccessPolicy {
  tenantId?: string;
  objectId?: string;
  permissions?: { keys?: string[] };
}

/** Where a request to a vault is aimed: its name and place, as the errors tell it. */
function describeVault(vault: CloudResource): string {
  return `${vault.name};location=${vault.location ?? "unknown"}`;
}

function policyGrants(policies: unknown, caller: Caller, permission: string): boolean {
  const holders = caller.principals.map((principal) => principal.toLowerCase());
  return (Array.isArray(policies) ? (policies as AccessPolicy[]) : []).some((policy) => {
    if (!holders.includes(String(policy.objectId).toLowerCase())) return false;
    if (policy.tenantId !== undefined && policy.tenantId.toLowerCase() !== caller.tenantId.toLowerCase()) return false;
    const granted = (policy.permissions?.keys ?? []).map((one) => one.toLowerCase());
    return granted.includes(permission.toLowerCase()) || granted.includes("all");
  });
}

/** Text as in https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
function deniedByPolicy(vault: CloudResource, caller: Caller, permission: string): Answer {
  const message =
    `The user, group or application '${describeCaller(caller)}' does not have keys ${permission} permission on key vault ` +
    `'${describeVault(vault)}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`;
  return cloudError(403, "Forbidden", message, { innerCode: "AccessDenied" });
}

function deniedByRole(vault: CloudResource, caller: Caller, action: string, resourceId: string): Answer {
  const lines = [
    "Caller is not authorized to perform action on resource.",
    "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
    `Caller: ${describeCaller(caller)}`,
    `Action: '${action}'`,
    `Resource: '${resourceId.replace("/resourceGroups/", "/resourcegroups/").replace("/Microsoft.KeyVault/", "/microsoft.keyvault/")}'`,
    "Assignment: (not found)",
    "DenyAssignmentId: null",
    "DecisionReason: null ",
    `Vault: ${describeVault(vault)}`,
    "",
  ];
  return cloudError(403, "Forbidden", lines.join("\r\n"), { innerCode: "ForbiddenByRbac" });
}

function deniedByNetwork(cloud: Cloud, vault: CloudResource, caller: Caller, via: string): Answer | undefined {
  const admitted = admission(cloud, vault, via, VAULT_NETWORK);
  if (!("refused" in admitted)) return undefined;
  if (admitted.refused === "connection") {
    const message = `Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: ${describeCaller(caller)}\r\nVault: ${describeVault(vault)}`;
    return cloudError(403, "Forbidden", message, { innerCode: "ForbiddenByConnection" });
  }
  const message = `Client address is not authorized and caller is not a trusted service.\r\nClient address: ${admitted.address}\r\nCaller: ${describeCaller(caller)}\r\nVault: ${describeVault(vault)}`;
  return cloudError(403, "Forbidden", message, { innerCode: "ForbiddenByFirewall" });
}

/**
 * Why a caller may not use a right on a key (or, without a name, on the vault); undefined where they may. Policies and
 * roles count from the moment they are in effect.
 * @param via as the request log names the client: the vault's network rules come first
 */
export function denial(
  cloud: Cloud,
  vault: CloudResource,
  caller: Caller,
  { right, keyName, via }: { right: KeyRight; keyName?: string | undefined; via: string },
): Answer | undefined {
  const outside = deniedByNetwork(cloud, vault, caller, via);
  if (outside) return outside;
  const inEffect = cloud.effective(vault.id);
  if (vault.properties.enableRbacAuthorization !== true) {
    const allowed = policyGrants(inEffect?.properties.accessPolicies, caller, right.policy);
    return allowed ? undefined : deniedByPolicy(vault, caller, right.policy);
  }
  const dataAction = `Microsoft.KeyVault/vaults/keys/${right.dataAction}`;
  const resourceId = keyName === undefined ? vault.id : `${vault.id}/keys/${keyName}`;
  const allowed = isAllowed(cloud, caller.principals, resourceId, { dataAction });
  return allowed ? undefined : deniedByRole(vault, caller, dataAction, resourceId);
}
