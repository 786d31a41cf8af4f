import { askAzure } from "../azure/azure-request";
import type { Finding } from "./finding";
import { type Planned, plannedResources } from "./policy-resources";

/** Where the stack is made, and who asks. */
interface Asked {
  readonly subscription: string;
  readonly location: string;
  readonly resourceManager: string;
  readonly token: string;
}

/** What Azure answers of one resource. */
interface Restrictions {
  readonly contentEvaluationResult?: {
    readonly policyEvaluations?: readonly {
      readonly evaluationResult?: string;
      readonly policyInfo?: { readonly policyAssignmentId?: string };
    }[];
  };
}

const NAME = "policies";

/**
 * Asks Azure what of a stack the subscription's policies would deny, before `up` makes any of it.
 * Source: https://learn.microsoft.com/rest/api/policyinsights/policy-restrictions/check-at-subscription-scope
 * @param own a value of `sealed-onion:KEY`
 */
export async function examinePolicies(own: (key: string) => unknown, asked: Asked): Promise<Finding> {
  const answers = await Promise.all(plannedResources(own, asked.location).map((planned) => check(planned, asked)));
  const refused = answers.find(({ status }) => status !== 200);
  if (refused !== undefined) {
    const found = `not looked at: Azure answers ${refused.status} to what it would deny`;
    const type = "have Microsoft.PolicyInsights/checkPolicyRestrictions/action, which Contributor has";
    return { name: NAME, state: "warning", found, type };
  }
  const denied = answers.flatMap(({ assignments, planned }) => assignments.map((id) => ({ id, what: planned.what })));
  if (denied.length === 0) {
    return { name: NAME, state: "ok", found: `none of subscription ${asked.subscription} denies what up makes` };
  }
  const titles = await Promise.all([...new Set(denied.map(({ id }) => id))].map((id) => titleOf(id, asked)));
  const whats = [...new Set(denied.map(({ what }) => what))].join(" and ");
  const found = `denied by the subscription: ${whats}, by ${titles.map((title) => `"${title}"`).join(" and ")}`;
  const type = "turn the dial that components/stack/baseline.md has for it, or ask who assigned it";
  return { name: NAME, state: "missing", found, type };
}

async function check(planned: Planned, { resourceManager, subscription, token }: Asked) {
  const path = `/subscriptions/${subscription}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version=2022-03-01`;
  const { apiVersion, what: _what, ...resourceContent } = planned;
  const answer = await askAzure(`https://${resourceManager}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, accept: "application/json", "content-type": "application/json" },
    body: JSON.stringify({ resourceDetails: { resourceContent, apiVersion } }),
  });
  const { contentEvaluationResult } = (answer.body ?? {}) as Restrictions;
  const evaluations = contentEvaluationResult?.policyEvaluations ?? [];
  const assignments = evaluations
    .filter(({ evaluationResult }) => evaluationResult === "NonCompliant")
    .map(({ policyInfo }) => policyInfo?.policyAssignmentId ?? "");
  return { planned, status: answer.status, assignments };
}

/** As people know it; its id where nobody says. */
async function titleOf(id: string, { resourceManager, token }: Asked): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const answer = await askAzure(`https://${resourceManager}${id}?api-version=2022-06-01`, { headers });
  const { properties } = (answer.body ?? {}) as { properties?: { displayName?: string } };
  return properties?.displayName ?? id;
}
