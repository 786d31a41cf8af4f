import type { ChangeKind } from "loopback-azure/provider/provider";
import type { PropertyMap } from "loopback-azure/provider/values";

/** One resource as an engine remembers it; values carry secrets as provider/values.ts says. */
export interface ResourceState {
  urn: string;
  type: string;
  /** Whether a provider made it; components are only kept. */
  custom: boolean;
  /** Empty for components. */
  id: string;
  parent: string;
  inputs: PropertyMap;
  outputs: PropertyMap;
  /** URNs: everything that has to be there before this resource. */
  dependencies: string[];
  protect: boolean;
  retainOnDelete: boolean;
  /** URN of a resource whose deletion takes this one along. */
  deletedWith: string;
  /** It was made, but a part of that failed: the next update does it again. */
  failed?: boolean;
  /** It was replaced, and is still to be deleted. */
  pendingDelete?: boolean;
  /** When its provider had made it, and when it had changed it last: ISO 8601, as Pulumi's state has it. */
  created?: string;
  modified?: string;
}

/** What an engine knows between two runs, in the order in which it was made. */
export interface EngineState {
  resources: ResourceState[];
}

/** What is done to a resource, in the words of `pulumi preview --json`. */
export type StepOperation =
  | "create"
  | "create-replacement"
  | "delete"
  | "delete-replaced"
  | "read"
  | "refresh"
  | "replace"
  | "same"
  | "update";

/** One step, in the shape in which `pulumi preview --json` has it. */
export interface Step {
  op: StepOperation;
  urn: string;
  oldState?: ResourceState;
  newState?: ResourceState;
  /** Top-level inputs that differ. */
  diffReasons?: string[];
  replaceReasons?: string[];
  detailedDiff?: Record<string, { kind: ChangeKind; inputDiff: boolean }>;
}

export function emptyState(): EngineState {
  return { resources: [] };
}

/** Pulumi's name of a resource. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** `parent$child` types of a URN. */
export function qualifiedTypeOf(urn: string): string {
  return urn.split("::")[2] ?? "";
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/** The URN of a resource: types of its parents joined by `$`, the stack left out. */
export function urnOf(stack: string, project: string, parent: string, type: string, name: string): string {
  const above = parent === "" ? "" : qualifiedTypeOf(parent);
  const qualified = above === "" || above === STACK_TYPE ? type : `${above}$${type}`;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

/** How many steps of each kind a run had. */
export function summary(steps: readonly Step[]): Partial<Record<StepOperation, number>> {
  const counts: Partial<Record<StepOperation, number>> = {};
  for (const { op } of steps) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}
