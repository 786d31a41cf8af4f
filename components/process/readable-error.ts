import * as pulumi from "@pulumi/pulumi";
import { wordsOf } from "./words";

/** Does what may fail while values are computed, and lets people see the reason alone, without a stack trace. */
export function readably<T>(action: () => T): T {
  try {
    const result = action();
    return result instanceof Promise ? (result.catch(refuse) as T) : result;
  } catch (error) {
    return refuse(error);
  }
}

function refuse(error: unknown): never {
  throw new pulumi.RunError(wordsOf(error));
}
