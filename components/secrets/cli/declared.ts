import { nearest } from "../../config/nearest";
import { absentOr, keylessFingerprint } from "../fingerprint";
import type { SealRequest } from "../seal/seal-request";
import type { SecretDeclaration } from "../secret";
import { SourceError } from "../sources/source-error";
import { readStack, type Stack, stackNames } from "./stacks";

/** A declared secret and its stack. */
export interface Declared {
  readonly stack: Stack;
  readonly declaration: SecretDeclaration;
}

/** The stacks that are meant: the one that is named, else all. */
export function chosenStacks(wanted: string | undefined): Stack[] {
  return (wanted === undefined ? stackNames() : [wanted]).map(readStack);
}

/** The one secret of that name. @throws if there is none, or several stacks have it */
export function findDeclared(name: string, wanted: string | undefined): Declared {
  const stacks = chosenStacks(wanted);
  const found = stacks.flatMap((stack) =>
    stack.declarations
      .filter((declaration) => declaration.name === name)
      .map((declaration) => ({ stack, declaration })),
  );
  const [first, ...more] = found;
  if (first === undefined) {
    const known = stacks.flatMap(({ declarations }) => declarations.map((declaration) => declaration.name));
    const near = nearest(name, known);
    const remedy = near ? `did you mean ${near}` : [...new Set(known)].join(", ") || "there is none";
    throw new Error(`no secret ${name} is declared: ${remedy}`);
  }
  if (more.length > 0) {
    throw new Error(`${name} is in several stacks: add --stack ${found.map(({ stack }) => stack.name).join(" or ")}`);
  }
  return first;
}

/** The same request that `pulumi up` makes, with a fingerprint that needs no key of Pulumi's. */
export function requestOf({ stack, declaration }: Declared): SealRequest {
  const { recipients } = stack;
  const keyUrl = stack.keyUrlOf(declaration.name);
  if (keyUrl === undefined)
    throw new Error(`stack ${stack.name} has no Key Vault key yet: pulumi up --stack ${stack.name}`);
  return {
    stack: stack.name,
    name: declaration.name,
    source: declaration.source,
    isOnion: declaration.kind === "onion",
    generation: declaration.generation,
    from: declaration.from ?? "",
    fingerprint: fingerprintAtHand({ stack, declaration }),
    recipients: { keyUrl, ...recipients },
    expectedHostname: declaration.hostname ?? "",
    previous: undefined,
  };
}

/** That of `file` and `env` needs a key of Pulumi's: the recorded one stands in. */
function fingerprintAtHand({ stack, declaration }: Declared): string {
  const recorded = absentOr(stack.records.get(declaration.name), declaration.source);
  try {
    return keylessFingerprint(declaration) ?? recorded;
  } catch (error) {
    if (error instanceof SourceError && error.absent) return recorded;
    throw error;
  }
}
