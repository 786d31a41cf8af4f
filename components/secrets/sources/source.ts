import type { Field } from "../../config/fields";

/**
 * One kind of place that a secret's plaintext comes from. A new one is a file here that gives this, and one word in the
 * list in `sources.ts`: nothing else asks which kind a source is.
 */
export interface Source<Kind extends string, Reference> {
  /** Its key in a declaration: `source: {KIND: REFERENCE}`. */
  readonly kind: Kind;
  /** Reads the reference. What it holds is not shown in errors where it may be a secret by mistake. @throws MalformedError */
  parse(field: Field): Reference;
  /** The reference for people, on one line: it follows the kind in a table. */
  describe(reference: Reference): string;
  /** Takes the plaintext into memory. @throws SourceError */
  read(reference: Reference): Promise<Plaintext>;
  /**
   * For a source whose reading asks a person or a service: a text that may be seen and changes when the plaintext
   * should be taken again. A preview takes this and reads nothing; several that want the plaintext share one reading.
   * A source without it is read, and its plaintext hashed under the stack's key.
   * @throws SourceError
   */
  trace?(reference: Reference, generation: number): string;
  /** For a source that makes a new key at each reading: it then exists in its sealed file only. */
  generates?(reference: Reference): Generated;
  /** The environment variable that the plaintext stands in: what is started to seal it does not get it. */
  variable?(reference: Reference): string;
}

/** What is to be sealed. The content is the caller's to wipe. */
export interface Plaintext {
  readonly content: Buffer;
  /** Of a key: see `KeyKind`. */
  readonly publicPart?: string;
}

/** A plaintext as it was read. */
export interface ReadPlaintext extends Plaintext {
  /** Of exactly what was read; undefined where it cannot be taken, as the stack's key is not at hand. */
  readonly fingerprint: string | undefined;
}

/** A kind of key that others know by its public part: the hostname of an onion key, the public half of another key. */
export interface KeyKind {
  /** For people: `onion key`. */
  readonly what: string;
  /** What a new one is to those who know it, for people: `a new onion address`. */
  readonly renewed: string;
  /** The public part of a plaintext. @throws if it holds no such key */
  publicPart(content: Uint8Array): Promise<string>;
}

export interface Generated extends KeyKind {
  /** What the new key's public part starts with; may be empty. */
  readonly prefix: string;
}
