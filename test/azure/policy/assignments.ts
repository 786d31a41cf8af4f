import type { Cloud, CloudResource } from "../cloud";
import { isUnder } from "../cloud";
import { refuse } from "../provider/arm";
import { isMap } from "../provider/values";
import { BUILT_IN, type BuiltInPolicy, type PolicyDefinition } from "./built-in";
import { matches } from "./policy-rule";

const ASSIGNMENT = "Microsoft.Authorization/policyAssignments";
const DEFINITIONS = "/providers/Microsoft.Authorization/policyDefinitions";

/** A policy that denies what somebody wants to make. */
export interface Violation {
  readonly assignmentId: string;
  readonly definitionId: string;
  readonly displayName: string;
}

/** Assigns a policy of Azure's to the subscription, or to a group, so that it denies. */
export function assignPolicy(
  cloud: Cloud,
  policy: BuiltInPolicy,
  scope = `/subscriptions/${cloud.subscriptionId}`,
): void {
  const id = `${scope}/providers/${ASSIGNMENT}/${policy}`;
  const { displayName, guid } = BUILT_IN[policy];
  const properties = { scope, displayName, policyDefinitionId: `${DEFINITIONS}/${guid}`, enforcementMode: "Default" };
  cloud.put({ id, type: ASSIGNMENT, name: policy, properties });
}

/** The assigned policies that a resource would offend, were it made as it is described. */
export function violations(cloud: Cloud, resource: CloudResource): Violation[] {
  const assigned = cloud
    .list({ type: ASSIGNMENT })
    .filter(({ properties }) => isUnder(resource.id, `${properties.scope}`));
  return assigned.flatMap(({ id, properties }) => {
    const definitionId = `${properties.policyDefinitionId}`;
    const known: readonly PolicyDefinition[] = Object.values(BUILT_IN);
    const policy = known.find(({ guid }) => definitionId.endsWith(guid));
    if (policy === undefined || !matches(policy.denies, resource)) return [];
    return [{ assignmentId: id, definitionId, displayName: policy.displayName }];
  });
}

/** 403 of Azure Policy. Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy */
export function refuseDenied(cloud: Cloud, wanted: CloudResource): void {
  const found = violations(cloud, { ...wanted, properties: isMap(wanted.properties) ? wanted.properties : {} });
  if (found.length === 0) return;
  const identifiers = found.map(({ assignmentId, definitionId, displayName }) => ({
    policyAssignment: { name: displayName, id: assignmentId },
    policyDefinition: { name: displayName, id: definitionId },
  }));
  refuse(
    403,
    "RequestDisallowedByPolicy",
    `Resource '${wanted.name}' was disallowed by policy. Policy identifiers: '${JSON.stringify(identifiers)}'.`,
  );
}
