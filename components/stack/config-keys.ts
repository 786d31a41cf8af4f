import * as pulumi from "@pulumi/pulumi";
import { type Field, MalformedError, NAMESPACE, unknownKey } from "../config/fields";

/** How each key's text is read: Pulumi hands every value over as text, objects and lists as JSON. */
const KEYS = {
  secrets: "json",
  services: "json",
  recipients: "json",
  keySize: "number",
  keyProtection: "text",
  authorization: "text",
  purgeProtection: "boolean",
  softDeleteDays: "number",
  sealers: "json",
  image: "json",
  vmSize: "text",
  sshPublicKey: "text",
  adminUser: "text",
  ephemeralOsDisk: "boolean",
  outbound: "text",
  existing: "json",
  grants: "json",
  network: "json",
  osDisk: "json",
  security: "json",
  zones: "json",
  spot: "boolean",
  bootAgent: "json",
  production: "boolean",
  tags: "json",
  vaultAuth: "json",
  status: "boolean",
  logs: "json",
  replicas: "number",
  frontEnd: "json",
  rollout: "text",
  dataDisk: "json",
  update: "text",
  reboot: "text",
} as const;

type Key = keyof typeof KEYS;

/**
 * Unknown keys are mistyped ones; secret values have no place in a configuration of references.
 * @throws MalformedError
 */
export function checkKeys(): void {
  const allowed = Object.keys(KEYS);
  const given = Object.keys(pulumi.runtime.allConfig()).filter((key) => key.startsWith(`${NAMESPACE}:`));
  const problems = given.flatMap((key) => {
    const name = key.slice(NAMESPACE.length + 1);
    if (!allowed.includes(name)) return [unknownKey("configuration has an unknown key", name, allowed)];
    return isSecret(key) ? [secretProblem(name)] : [];
  });
  if (problems.length > 0) throw new MalformedError(problems);
}

function secretProblem(name: string): string {
  const reference = `remove it and point to it by ${NAMESPACE}:secrets.NAME.source`;
  const remedy = name === "secrets" ? reference : `set ${NAMESPACE}:${name} without --secret`;
  return `${name} must hold no secret, got an encrypted value: ${remedy}`;
}

/** The SDK keeps this to itself, and has no public way to ask it. */
function isSecret(key: string): boolean {
  const runtime: object = pulumi.runtime;
  return "isConfigSecret" in runtime && typeof runtime.isConfigSecret === "function" && runtime.isConfigSecret(key);
}

/** A value of another namespace, such as `azure-native:location`. */
export function other(namespace: string, key: string): string | undefined {
  return new pulumi.Config(namespace).get(key);
}

/** A key's value; undefined where it is not set, or set to the empty text that stands for "not set". */
export function field(key: string): Field {
  const text = new pulumi.Config(NAMESPACE).get(key);
  return { path: key, value: text === undefined || text === "" ? undefined : typed(text, KEYS[key as Key]) };
}

export function withDefault(key: Key, value: unknown): Field {
  const given = field(key);
  return { ...given, value: given.value ?? value };
}

/** A value of the key's type, or the text itself where it is of another: checks then show what was given. */
function typed(text: string, type: (typeof KEYS)[Key]): unknown {
  if (type === "text") return text;
  if (type === "boolean") return text === "true" || (text === "false" ? false : text);
  if (type === "number") return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
