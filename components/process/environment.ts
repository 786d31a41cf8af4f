import { UsageError } from "./usage-error";

/** A parameter of a program that `pulumi up` runs. @throws UsageError if it is not set, or empty */
export function required(environment: NodeJS.ProcessEnv, variable: string): string {
  const value = environment[variable];
  if (!value) throw new UsageError(`${variable} is not set: pulumi up runs this program, with its whole environment`);
  return value;
}
