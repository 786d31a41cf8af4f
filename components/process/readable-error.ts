import * as pulumi from "@pulumi/pulumi";

/** Does what may fail while values are computed, and lets people see the reason alone, without a stack trace. */
export function readably<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : `${error}`);
  }
}
