import type { Cloud } from "../cloud";
import type { Caller } from "../entra/bearer";
import { cloudError } from "../gateway/error-answers";
import { type Answer, type Exchange, json, readBody } from "../gateway/exchange";
import { violations } from "../policy/assignments";
import { isMap } from "../provider/values";
import { isAllowed } from "./authorization";

const ACTION = "Microsoft.PolicyInsights/checkPolicyRestrictions/action";

/**
 * What policies would deny of a resource that is not there yet; undefined where that was not asked.
 * Source: https://learn.microsoft.com/rest/api/policyinsights/policy-restrictions/check-at-subscription-scope
 */
export function answerForPolicies(exchange: Exchange, cloud: Cloud, caller: Caller): Promise<Answer> | undefined {
  const asked = /^(\/subscriptions\/.+)\/providers\/Microsoft\.PolicyInsights\/checkPolicyRestrictions$/i;
  const [, scope] = asked.exec(exchange.url.pathname) ?? [];
  if (scope === undefined || exchange.record.method !== "POST") return undefined;
  exchange.record.operation = ACTION;
  return answer(exchange, cloud, caller, scope);
}

async function answer(exchange: Exchange, cloud: Cloud, caller: Caller, scope: string): Promise<Answer> {
  if (!isAllowed(cloud, caller.principals, scope, { action: ACTION })) {
    const message = `The client '${caller.clientId}' with object id '${caller.objectId}' does not have authorization to perform action '${ACTION}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`;
    return cloudError(403, "AuthorizationFailed", message);
  }
  const body: unknown = JSON.parse((await readBody(exchange)).toString("utf8"));
  const details = isMap(body) && isMap(body.resourceDetails) ? body.resourceDetails : {};
  const content = isMap(details.resourceContent) ? details.resourceContent : undefined;
  if (typeof content?.type !== "string")
    return cloudError(400, "InvalidCheckRestrictionsRequest", "The resource content must have a type.");
  const properties = isMap(content.properties) ? content.properties : {};
  const id = `${scope}/providers/${content.type}/planned`;
  const resource = { name: "planned", ...content, id, type: content.type, properties };
  const policyEvaluations = violations(cloud, resource).map(({ assignmentId, definitionId }) => ({
    policyInfo: { policyDefinitionId: definitionId, policyAssignmentId: assignmentId },
    evaluationResult: "NonCompliant",
    evaluationDetails: { evaluatedExpressions: [] },
  }));
  return json(200, { fieldRestrictions: [], contentEvaluationResult: { policyEvaluations } });
}
