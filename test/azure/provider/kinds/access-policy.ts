import type { Cloud, CloudResource } from "../../cloud";
import { refuse } from "../arm";
import type { CustomKind, ResourceKind, Situation } from "../resource-kind";
import { isMap, type PropertyMap } from "../values";
import { groupName } from "./resources";
import { checkPolicies, VAULT } from "./vault";

function vaultOf(cloud: Cloud, id: string): CloudResource | undefined {
  return cloud.get(id.replace(/\/accessPolicy$/i, ""));
}

function policiesOf(vault: CloudResource): PropertyMap[] {
  const { accessPolicies } = vault.properties;
  return Array.isArray(accessPolicies) ? accessPolicies.filter(isMap) : [];
}

function holder(policy: PropertyMap): string {
  return `${policy.objectId}/${policy.applicationId ?? ""}`.toLowerCase();
}

function policyIn(inputs: PropertyMap): PropertyMap {
  if (!isMap(inputs.policy)) throw new Error("missing required property policy");
  return inputs.policy;
}

/** One PUT on `accessPolicies/{add|replace|remove}`: one entry of the vault's list changes. */
function change(situation: Omit<Situation, "wanted" | "existing">, keep: PropertyMap | undefined): void {
  const { cloud, id, inputs } = situation;
  const vault = vaultOf(cloud, id);
  if (vault === undefined)
    refuse(
      404,
      "ResourceNotFound",
      `The Resource '${VAULT}/${inputs.vaultName}' under resource group '${inputs.resourceGroupName}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
    );
  const others = policiesOf(vault).filter((policy) => holder(policy) !== holder(policyIn(inputs)));
  const accessPolicies = keep === undefined ? others : [...others, keep];
  checkPolicies(accessPolicies, cloud.tenantId);
  cloud.put({ ...vault, properties: { ...vault.properties, accessPolicies } });
}

function write(situation: Situation, shouldExist: boolean): PropertyMap {
  const { cloud, id, inputs } = situation;
  const policy = policyIn(inputs);
  const vault = vaultOf(cloud, id);
  const found = vault !== undefined && policiesOf(vault).some((known) => holder(known) === holder(policy));
  if (found && !shouldExist) throw new Error(`access policy for ${policy.objectId} already exists`);
  if (!found && shouldExist) throw new Error(`access policy for ${policy.objectId} does not exist`);
  change(situation, policy);
  return { resourceGroupName: inputs.resourceGroupName, vaultName: inputs.vaultName, policy };
}

/** Vaults whose policies are being changed. */
const busy = new Set<string>();

/** Two changes of one vault's policies at once: Azure refuses the second one. */
async function alone<T>({ cloud, id, inputs }: Pick<Situation, "cloud" | "id" | "inputs">, work: () => T): Promise<T> {
  const vault = `${cloud.subscriptionId} ${id.toLowerCase()}`;
  if (busy.has(vault))
    refuse(
      409,
      "ConflictError",
      `A conflict occurred that prevented the operation from completing. The operation failed because the vault '${inputs.vaultName}' has changed from the point the operation began. This can happen if parallel operations are being performed on the vault. To prevent this error, serialize the operations so that only one operation is performed on the vault at a time. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147741`,
    );
  busy.add(vault);
  try {
    await new Promise((resolve) => setImmediate(resolve));
    return work();
  } finally {
    busy.delete(vault);
  }
}

/** azure-native wrote this one by hand: customresources/custom_keyvault_accesspolicy.go. */
const custom: CustomKind = {
  create: (situation) => alone(situation, () => write(situation, false)),
  update: (situation) => alone(situation, () => write(situation, true)),
  read(cloud, id, state) {
    const vault = vaultOf(cloud, id);
    const known = isMap(state.policy) ? holder(state.policy) : "";
    const policy = vault && policiesOf(vault).find((candidate) => holder(candidate) === known);
    return policy && { ...state, policy };
  },
  delete: (situation) => alone(situation, () => change(situation, undefined)),
};

export const accessPolicy: ResourceKind = {
  token: "azure-native:keyvault:AccessPolicy",
  type: `${VAULT}/accessPolicy`,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/accessPolicy",
  apiVersion: "",
  models: "keyvault",
  request: { policy: { required: true, type: { name: "Composite", className: "AccessPolicyEntry" } } },
  response: {
    policy: { type: { name: "Composite", className: "AccessPolicyEntry" } },
    resourceGroupName: { type: { name: "String" } },
    vaultName: { type: { name: "String" } },
  },
  names: [groupName, { input: "vaultName", pattern: /^[a-zA-Z0-9-]{3,24}$/, rule: "3-24 letters, digits and hyphens" }],
  hasLocation: false,
  custom,
};
