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

/** @param served the onion keys that services use */
export function keyHolders(
  secrets: readonly SecretDeclaration[],
  served: readonly string[],
  replicas: number,
): KeyHolders {
  const numbers = Array.from({ length: replicas }, (_, index) => index + 1);
  const names = [...new Set(served)].flatMap((key) => numbers.map((number) => replicaKey(key, number)));
  const own = Object.fromEntries(names.map((name) => [name, { source: { onion: {} } }]));
  return {
    frontEnd: secrets.filter(({ name }) => served.includes(name)),
    replicas: [...secrets.filter(({ name }) => !served.includes(name)), ...parseSecrets(own)],
  };
}
