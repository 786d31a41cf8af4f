import type { LoopbackAzure } from "loopback-azure/azure";
import type { CloudResource } from "loopback-azure/cloud";

interface AccessPolicy {
  objectId: string;
}

/**
 * Takes one principal's access policy off a vault, behind the program's back.
 * @returns what puts it back
 */
export function withdrawPolicy(azure: LoopbackAzure, keyUrl: string, objectId: string): () => void {
  const vault = vaultOf(azure, keyUrl);
  const policies = vault.properties.accessPolicies as AccessPolicy[];
  const others = policies.filter((policy) => policy.objectId !== objectId);
  if (others.length === policies.length) throw new Error(`'${vault.name}' has no access policy for ${objectId}`);
  const put = (accessPolicies: AccessPolicy[]) =>
    azure.cloud.put({ ...vault, properties: { ...vault.properties, accessPolicies } }, { effectiveAfterMs: 0 });
  put(others);
  return () => put(policies);
}

function vaultOf(azure: LoopbackAzure, keyUrl: string): CloudResource {
  const name = new URL(keyUrl).hostname.split(".")[0] ?? "";
  const vault = azure.cloud.vault(name);
  if (!vault) throw new Error(`there is no vault '${name}'`);
  return vault;
}

/** The object id of a machine's first user-assigned identity. */
export function identityOf(azure: LoopbackAzure, vmId: string): string {
  const [identity] = Object.values(azure.cloud.get(vmId)?.identity?.userAssignedIdentities ?? {});
  return identity?.principalId ?? "";
}
