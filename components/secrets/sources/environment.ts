import { SourceError } from "./source-error";

/**
 * The value of an `env` source as UTF-8 bytes.
 * @throws SourceError if it is not set or empty (what a CI system gives for a secret that it withholds)
 */
export function readVariable(variable: string): Buffer {
  const value = process.env[variable];
  if (value === undefined) throw new SourceError(`source env:${variable} is not set: export ${variable}`, true);
  if (value === "") throw new SourceError(`source env:${variable} is empty: export ${variable} with the secret`, true);
  return Buffer.from(value, "utf8");
}
