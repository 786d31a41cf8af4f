import { UsageError } from "./usage-error";

/** A parameter of a program that `pulumi up` runs. @throws UsageError if it is not set, or empty */
export function required(environment: NodeJS.ProcessEnv, variable: string): string {
  const value = environment[variable];
  if (!value) throw new UsageError(`${variable} is not set: pulumi up runs this program, with its whole environment`);
  return value;
}

/** A parameter that is the URL of a blob or a container. @throws UsageError, without a SAS, which is a password */
export function requiredUrl(environment: NodeJS.ProcessEnv, variable: string): string {
  const url = required(environment, variable);
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new UsageError(`${variable} must be a URL of blob storage, got "${url.split("?", 1)[0]}"`);
}

/** A parameter that is a whole number, 0 or more. @throws UsageError */
export function requiredCount(environment: NodeJS.ProcessEnv, variable: string): number {
  const text = required(environment, variable);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${variable} must be a whole number, got "${text}"`);
}

/** A parameter that is a JSON object. @throws UsageError */
export function requiredJson<T extends object>(environment: NodeJS.ProcessEnv, variable: string): T {
  const text = required(environment, variable);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as T;
  } catch {} // said below
  throw new UsageError(`${variable} must be JSON, got ${text}`);
}
