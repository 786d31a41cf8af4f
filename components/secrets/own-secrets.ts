/** A secret that a stack needs without a declaration of its own. */
interface OwnSecret {
  readonly name: string;
  /** Whether a configuration needs it. @param value of a key of the configuration, as it was given */
  isNeeded(value: (key: string) => unknown): boolean;
  /** As a declaration would say it. */
  readonly declaration: unknown;
}

/** sshd's key: the machine keeps it when it is replaced, and those who log in are not asked again. */
export const SSH_HOST_KEY = "ssh-host-key";

/** What signs the stack's systems. It stays on the workstation, so it is no secret of a machine and cannot be declared. */
export const SIGNING_KEY = "system-signing-key";

const OWN: readonly OwnSecret[] = [
  {
    name: SSH_HOST_KEY,
    isNeeded: (value) => Object.values(objectOf(value("services")) ?? {}).some((service) => objectOf(service)?.ssh),
    declaration: { source: { sshHostKey: {} } },
  },
];

/**
 * The configuration's map of secrets with those that the stack needs besides. One that is declared under such a name is
 * taken as it is declared: from another source, or of another generation.
 * @param declared as it was given: a map without a declaration, or none at all, is left to those who check it
 */
export function withOwnSecrets(declared: unknown, value: (key: string) => unknown): unknown {
  const secrets = objectOf(declared);
  if (secrets === undefined || Object.keys(secrets).length === 0) return declared;
  const own = OWN.filter((secret) => secret.isNeeded(value));
  return { ...Object.fromEntries(own.map(({ name, declaration }) => [name, declaration])), ...secrets };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
