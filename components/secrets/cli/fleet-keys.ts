import { readStackFacts } from "../../config/stack-facts";
import { frontEndOf } from "../../config/stack-folder";
import { parseSecrets, type SecretDeclaration } from "../secret";

/** What `pulumi up` made of a stack's onion keys where several machines serve. */
export interface FleetKeys {
  /** Keys of the replicas' own: no configuration declares them. */
  readonly replicas: readonly SecretDeclaration[];
  /** The addresses' keys, which the front end's key alone opens. */
  readonly addresses: readonly string[];
  /** That key. */
  readonly keyUrl: string | undefined;
}

/** From the facts of the stack and of its front end; nothing of any for one machine. */
export function readFleetKeys(stack: string): FleetKeys {
  const services = Object.values(readStackFacts(stack)?.replica?.services ?? {});
  const names = services.flat().map(({ secret }) => secret);
  if (names.length === 0) return { replicas: [], addresses: [], keyUrl: undefined };
  const { frontEnd, vault } = readStackFacts(frontEndOf(stack)) ?? {};
  return {
    replicas: parseSecrets(Object.fromEntries(names.map((name) => [name, { source: { onion: {} } }]))),
    addresses: Object.values(frontEnd?.services ?? {}).map(({ secret }) => secret),
    keyUrl: vault?.keyUrl,
  };
}
