import { nameOf, type ResourceState } from "../rehearsal/engine/state";

/** `azure-native:keyvault:Vault` -> `keyvault.Vault`, as Pulumi programs write it. */
function shortType(type: string): string {
  const [pkg = "", module = "", name = ""] = type.split(":");
  const prefix = pkg === "azure-native" ? module.split("/")[0] : pkg;
  return `${prefix}.${name}`;
}

/**
 * The resources of a program as a Mermaid flowchart: a box around each component's children, an arrow from what is
 * needed to what needs it. An arrow that follows from others (a path over a third resource) is left out.
 */
export function resourceGraph(resources: readonly ResourceState[]): string {
  // By name: the order in which resources are registered differs from run to run.
  const shown = resources
    .filter(({ custom, type }) => custom && !type.startsWith("pulumi:"))
    .sort((left, right) => (left.urn < right.urn ? -1 : 1));
  const ids = new Map(shown.map(({ urn }, index) => [urn, `r${index}`]));
  const components = [...new Set(shown.map(({ parent }) => parent))];
  const boxes = components.flatMap((component, index) => [
    `  subgraph c${index}["${nameOf(component)}"]`,
    ...shown
      .filter(({ parent }) => parent === component)
      .map(({ urn, type }) => `    ${ids.get(urn)}["${nameOf(urn)}<br>${shortType(type)}"]`),
    "  end",
  ]);
  const needs = new Map(shown.map(({ urn, dependencies }) => [urn, dependencies.filter((other) => ids.has(other))]));
  const arrows = shown.flatMap(({ urn }) =>
    directNeeds(urn, needs).map((needed) => `  ${ids.get(needed)} --> ${ids.get(urn)}`),
  );
  return ["flowchart LR", ...boxes, ...arrows].join("\n");
}

function directNeeds(urn: string, needs: Map<string, string[]>): string[] {
  const own = [...new Set(needs.get(urn) ?? [])];
  return own.filter((needed) => !own.some((other) => other !== needed && reaches(other, needed, needs)));
}

function reaches(from: string, to: string, needs: Map<string, string[]>): boolean {
  return (needs.get(from) ?? []).some((next) => next === to || reaches(next, to, needs));
}
