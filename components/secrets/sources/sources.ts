import { at, type Field, listed, malformed, mustBe, NAMESPACE, structure } from "../../config/fields";
import { command } from "./command";
import { env } from "./env";
import { file } from "./file";
import { onion, onionKey } from "./onion";
import { pass } from "./pass";
import type { Generated, KeyKind, Plaintext, Source } from "./source";
import { sshHostKey } from "./ssh-host-key";

/** Every kind of source there is: all else iterates over this list, the types below included. */
const SOURCES = [onion, file, pass, env, command, sshHostKey] as const;

type Declared<S> = S extends Source<infer Kind, infer Reference> ? { readonly [K in Kind]: Reference } : never;

/** Where a secret's plaintext comes from, as it is declared: a reference by its kind, never the plaintext itself. */
export type SecretSource = Declared<(typeof SOURCES)[number]>;

const KINDS = SOURCES.map(({ kind }) => kind);

/** Reads `source`: exactly one reference. What it holds is not shown in errors, as it may be a secret by mistake. */
export function parseSource(field: Field): SecretSource {
  if (field.value === undefined) {
    const keys = listed(KINDS.map((kind) => `.${kind}`));
    throw mustBe(field, listed(KINDS), `set ${NAMESPACE}:${field.path}${keys}`);
  }
  const value = structure(field, KINDS);
  const [source, ...others] = SOURCES.filter(({ kind }) => value[kind] !== undefined);
  if (source === undefined || others.length > 0) {
    const got = source === undefined ? "none" : [source, ...others].map(({ kind }) => kind).join(" and ");
    const problem = `${field.path} must be exactly one of ${listed(KINDS)}, got ${got}`;
    throw malformed(problem, `${source === undefined ? "set" : "keep"} one in ${NAMESPACE}:${field.path}`);
  }
  return { [source.kind]: source.parse(at(field.path, value, source.kind)) } as SecretSource;
}

/** Whether both declare the same reference. */
export function isSameSource(one: SecretSource, other: SecretSource): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A declared source with what can be done with it. */
export interface SourceInUse {
  readonly kind: SecretSource extends infer S ? (S extends S ? keyof S : never) : never;
  /** For people: `file token`, `onion abc…`. */
  readonly description: string;
  /** Set if reading makes a new key. */
  readonly generated: Generated | undefined;
  /** The environment variable that the plaintext stands in. */
  readonly variable: string | undefined;
  /** See `Source.trace`; undefined for a source that is read to take its fingerprint. */
  readonly trace: ((generation: number) => string) | undefined;
  read(): Promise<Plaintext>;
}

/** @throws for a kind that this version does not know: of a record that a newer one wrote */
export function sourceOf(declared: SecretSource): SourceInUse {
  const source = SOURCES.find(({ kind }) => kind in declared) as Source<SourceInUse["kind"], unknown> | undefined;
  if (source === undefined) {
    const kinds = Object.keys(declared).join(" and ") || "nothing";
    throw new Error(`source ${kinds} is not known here, known are ${listed(KINDS)}: use a newer version`);
  }
  const reference: unknown = (declared as Record<string, unknown>)[source.kind];
  return {
    kind: source.kind,
    description: `${source.kind} ${source.describe(reference)}`.trimEnd(),
    generated: source.generates?.(reference),
    variable: source.variable?.(reference),
    trace: source.trace && ((generation) => source.trace?.(reference, generation) ?? ""),
    read: () => source.read(reference),
  };
}

/** The kind of key that a secret is; undefined for one that others do not know by a public part. */
export function keyKindOf({ source, isOnion }: { source: SecretSource; isOnion: boolean }): KeyKind | undefined {
  return sourceOf(source).generated ?? (isOnion ? onionKey : undefined);
}
