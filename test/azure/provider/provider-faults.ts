import { ArmError } from "./arm";

export type Operation = "create" | "delete" | "read" | "update";

/** A refusal that Azure would have its own reasons for: policy, quota, an outage. */
export interface ProviderFault {
  /** @default any */
  operation?: Operation;
  /** Pulumi's type token; @default any */
  type?: string;
  /** Pulumi's name of the resource; @default any */
  name?: string | RegExp;
  /** How often it strikes. @default 1 */
  times?: number;
  /** The work was done, and only its answer is an error: the resource is there, and Pulumi keeps it as failed. @default false */
  afterwards?: boolean;
  error: ArmError;
}

/** An operation that comes to no end: its caller may be gone before. */
export interface Held {
  /** Once it has come so far: before it is done, or, `afterwards`, with nothing left but its answer. */
  readonly reached: Promise<void>;
  /** Lets it fail, as nobody waits for its answer any more. */
  release(): void;
}

export interface ProviderFaults {
  add(fault: ProviderFault): { readonly hits: number; remove(): void };
  /** Holds one operation. */
  hold(fault: Omit<ProviderFault, "error" | "times">): Held;
  /** Waits where the operation is held. @throws ArmError once it is released */
  wait(operation: Operation, type: string, name: string, afterwards: boolean): Promise<void>;
  clear(): void;
  /** The error that the operation meets, if any. */
  strike(operation: Operation, type: string, name: string, afterwards: boolean): ArmError | undefined;
}

/** 403 of Azure Policy. Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy */
export function policyDenial(resource: string, policy: string): ArmError {
  const assignment = `[{"policyAssignment":{"name":"${policy}"}}]`;
  return new ArmError(
    403,
    "RequestDisallowedByPolicy",
    `Resource '${resource}' was disallowed by policy. Policy identifiers: '${assignment}'.`,
  );
}

/** 409 of a used-up quota. Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota */
export function quotaExceeded(
  region: string,
  limit: number,
  {
    usage = limit,
    required = 2,
    of = "Total Regional",
  }: { usage?: number; required?: number; of?: string | undefined } = {},
): ArmError {
  const details = [
    "Deployment Model: Resource Manager",
    `Location: ${region}`,
    `Current Limit: ${limit}`,
    `Current Usage: ${usage}`,
    `Additional Required: ${required}`,
    `(Minimum) New Limit Required: ${usage + required}`,
  ];
  return new ArmError(
    409,
    "OperationNotAllowed",
    `Operation could not be completed as it results in exceeding approved ${of} Cores quota. Additional details - ${details.join(", ")}.`,
  );
}

const GONE = new ArmError(499, "ClientClosedRequest", "The client is gone.");

function signal(): { given: Promise<void>; give: () => void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

function fits(fault: ProviderFault, operation: Operation, type: string, name: string): boolean {
  if (fault.operation !== undefined && fault.operation !== operation) return false;
  if (fault.type !== undefined && fault.type !== type) return false;
  return fault.name === undefined || (typeof fault.name === "string" ? fault.name === name : fault.name.test(name));
}

export function createProviderFaults(): ProviderFaults {
  const rules = new Map<ProviderFault, { hits: number }>();
  const holds = new Map<ProviderFault, { reach: () => void; released: Promise<void> }>();
  return {
    add(fault) {
      const counter = { hits: 0 };
      rules.set(fault, counter);
      return {
        get hits() {
          return counter.hits;
        },
        remove: () => void rules.delete(fault),
      };
    },
    hold(fault) {
      const [reached, release] = [signal(), signal()];
      holds.set({ ...fault, error: GONE }, { reach: reached.give, released: release.given });
      return { reached: reached.given, release: release.give };
    },
    async wait(operation, type, name, afterwards) {
      const found = [...holds].find(
        ([fault]) => (fault.afterwards ?? false) === afterwards && fits(fault, operation, type, name),
      );
      if (found === undefined) return;
      const [fault, { reach, released }] = found;
      holds.delete(fault);
      reach();
      await released;
      throw fault.error;
    },
    clear: () => rules.clear(),
    strike(operation, type, name, afterwards) {
      for (const [fault, counter] of rules) {
        if ((fault.afterwards ?? false) !== afterwards || !fits(fault, operation, type, name)) continue;
        if (counter.hits >= (fault.times ?? 1)) continue;
        counter.hits += 1;
        return fault.error;
      }
      return undefined;
    },
  };
}
