import { parseSecrets, type SecretDeclaration } from "../secrets/secret";

/** Who has which of a stack's secrets. */
export interface KeyHolders {
  /** The onion addresses' own keys: the front end's alone. */
  readonly frontEnd: readonly SecretDeclaration[];
  /** All other secrets, and a key of its own for each replica of each address. */
  readonly replicas: readonly SecretDeclaration[];
}

/** What replica 1, 2 ... of an address has its key called. */
export function replicaKey(key: string, number: number): string {
  return `${key}-replica-${number}`;
}

/** What all replicas of all addresses have their keys called. */
export function replicaKeysOf(served: readonly string[], replicas: number): string[] {
  const numbers = Array.from({ length: replicas }, (_, index) => index + 1);
  return [...new Set(served)].flatMap((key) => numbers.map((number) => replicaKey(key, number)));
}

/**
 * @param services those with ssh are each replica's own, under an address of its own: no front end publishes them, or has
 * their keys
 */
export function keyHolders(
  secrets: readonly SecretDeclaration[],
  services: readonly { readonly key: string; readonly ssh: boolean }[],
  replicas: number,
): KeyHolders {
  const balanced = services.filter(({ ssh }) => !ssh).map(({ key }) => key);
  const served = services.map(({ key }) => key);
  const own = Object.fromEntries(replicaKeysOf(served, replicas).map((name) => [name, { source: { onion: {} } }]));
  return {
    frontEnd: secrets.filter(({ name }) => balanced.includes(name)),
    replicas: [...secrets.filter(({ name }) => !balanced.includes(name)), ...parseSecrets(own)],
  };
}
