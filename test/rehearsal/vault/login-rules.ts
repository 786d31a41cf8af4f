import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";

/** What a machine sends to `auth/azure/login`. */
export interface LoginRequest {
  jwt: string;
  subscriptionId: string;
  resourceGroup: string;
  vmName: string;
}

/** The auth method's configuration and one role of it, as the VaultAzureAuth component writes them. */
export interface LoginRules {
  /** The `resource` of the configuration: the audience that a token must have. */
  resource: string;
  servicePrincipals: readonly string[];
  subscriptions: readonly string[];
  resourceGroups: readonly string[];
  locations: readonly string[];
}

/** What Vault asks Azure: Entra's discovery document and keys, and Resource Manager with Vault's own identity. */
export interface AzureView {
  issuer: string;
  keys: JSONWebKeySet;
  /** `refused` is Resource Manager's error code where it shows no such machine. */
  readMachine(login: LoginRequest): Promise<{ location: string; principalIds: string[] } | { refused: string }>;
}

interface MachineClaims {
  oid?: string;
  xms_az_rid?: string;
  xms_mirid?: string;
}

/**
 * Decides on a virtual machine's login by the rules of Vault's azure auth method, in its order and with its words.
 * Source: `pathLogin`, `verifyRole` and `verifyResource` in vault-plugin-auth-azure v0.22.0, path_login.go.
 *
 * @throws with the reason of the refusal
 */
export async function checkLogin(login: LoginRequest, rules: LoginRules, azure: AzureView): Promise<void> {
  const { payload } = await jwtVerify<MachineClaims>(login.jwt, createLocalJWKSet(azure.keys), {
    issuer: azure.issuer,
    audience: rules.resource,
    algorithms: ["RS256"],
  });
  const { servicePrincipals } = rules;
  if (servicePrincipals.length === 0)
    throw new Error("expected specific bound_group_ids or bound_service_principal_ids");
  if (!servicePrincipals.includes(payload.oid ?? ""))
    throw new Error(`service principal not authorized: ${payload.oid}`);
  checkClaim(payload, `/virtualMachines/${login.vmName}`, "vm_name");
  const machine = await azure.readMachine(login);
  if ("refused" in machine) throw new Error(`unable to retrieve virtual machine metadata: ${machine.refused}`);
  checkClaim(payload, `/resourcegroups/${login.resourceGroup}`, "resource_group_name");
  if (!machine.principalIds.includes(payload.oid ?? "")) {
    throw new Error("neither token object id nor token app id match expected identities");
  }
  checkBound("subscription", rules.subscriptions, login.subscriptionId);
  checkBound("resource group", rules.resourceGroups, login.resourceGroup);
  checkBound("location", rules.locations, machine.location);
}

function checkClaim({ xms_az_rid = "", xms_mirid = "" }: MachineClaims, part: string, name: string): void {
  const contains = (text: string) => text.toLowerCase().includes(part.toLowerCase());
  if (!contains(xms_az_rid) && !contains(xms_mirid)) throw new Error(`xms_az_rid token claim does not match ${name}`);
}

/** Vault compares these without case; an empty list binds nothing. */
function checkBound(what: string, bound: readonly string[], value: string): void {
  const isBound = bound.some((one) => one.toLowerCase() === value.toLowerCase());
  if (bound.length > 0 && !isBound) throw new Error(`${what} not authorized`);
}
