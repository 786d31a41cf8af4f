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

/** @param served the onion keys that services use */
export function keyHolders(
  secrets: readonly SecretDeclaration[],
  served: readonly string[],
  replicas: number,
): KeyHolders {
  const own = Object.fromEntries(replicaKeysOf(served, replicas).map((name) => [name, { source: { onion: {} } }]));
  return {
    frontEnd: secrets.filter(({ name }) => served.includes(name)),
    replicas: [...secrets.filter(({ name }) => !served.includes(name)), ...parseSecrets(own)],
  };
}
