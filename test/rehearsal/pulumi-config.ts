/**
 * A stack's configuration as Pulumi keeps it: every value a text, objects as JSON; a key without a namespace is this
 * project's. A value of undefined leaves its key out.
 */
export function pulumiConfig(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  const texts = set.map(([key, value]) => [
    key.includes(":") ? key : `sealed-onion:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(texts);
}
