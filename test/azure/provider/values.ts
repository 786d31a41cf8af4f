/**
 * Property values as they travel between Pulumi's engine and a provider: plain JSON in which a secret is an object with a
 * signature key and an unknown (a value that a preview cannot know) is a well-known string.
 * Source: pulumi/sdk/go/common/resource/plugin/rpc.go and sdk/nodejs/runtime/rpc.ts.
 */
export type PropertyMap = Record<string, unknown>;

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** The unknown that Node programs send, and that we answer. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The engine has one unknown for each kind of value. */
const UNKNOWNS = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

export function isMap(value: unknown): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && UNKNOWNS.has(value);
}

export function isSecret(value: unknown): boolean {
  return isMap(value) && value[SIGNATURE] === SECRET;
}

export function secret(value: unknown): PropertyMap {
  return { [SIGNATURE]: SECRET, value };
}

function anywhere(value: unknown, test: (value: unknown) => boolean): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => anywhere(item, test));
  return isMap(value) && Object.values(value).some((item) => anywhere(item, test));
}

export function containsUnknown(value: unknown): boolean {
  return anywhere(value, isUnknown);
}

export function containsSecret(value: unknown): boolean {
  return anywhere(value, isSecret);
}

/** The value without secret wrappers and without null members (a provider never sees those). */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isMap(value)) return value;
  if (isSecret(value)) return plain(value.value);
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

/** `plain` of a whole property map. */
export function plainMap(value: PropertyMap): PropertyMap {
  const result = plain(value);
  return isMap(result) ? result : {};
}

/** Outputs that carry an input of the same name are secret where that input is: what the engine does for a provider. */
export function withSecretsOf(inputs: PropertyMap, outputs: PropertyMap): PropertyMap {
  const marked = Object.entries(outputs).map(([key, value]) => {
    const wasSecret = containsSecret(inputs[key]) && !containsSecret(value);
    return [key, wasSecret ? secret(value) : value];
  });
  return Object.fromEntries(marked);
}
