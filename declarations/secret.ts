/** A secret's name: what its files, its place on the VM and its resources are called. */
export type SecretName = string;

/** Where a secret's plaintext comes from: a reference, never the plaintext itself. */
export type SecretSource =
  /** A new onion key; with a prefix, one whose hostname starts so. */
  | { readonly onion: { readonly prefix?: string } }
  /** A file's content, path relative to the project. */
  | { readonly file: string }
  /** An entry of the password store (`pass`). */
  | { readonly pass: string }
  /** An environment variable of the workstation. */
  | { readonly env: string }
  /** The standard output of a program: its argv. */
  | { readonly command: readonly string[] };

/** One declared secret, complete: every default filled in. */
export interface SecretDeclaration {
  readonly name: SecretName;
  readonly source: SecretSource;
  /**
   * Set if the plaintext is an onion key (tor's `hs_ed25519_secret_key`): always for an `onion` source, and for any
   * other source from which an existing onion key is imported.
   */
  readonly kind?: "onion";
  /** The hostname that an imported onion key must have: `….onion`, or the path of tor's `hostname` file. */
  readonly hostname?: string;
  /** Grows to make a new onion key, or to read a `command` again. @default 1 */
  readonly generation: number;
  /** The name that this secret had before: its sealed file is moved, its onion address stays. */
  readonly from?: SecretName;
  /** Where the VM finds the plaintext, under /run. @default /run/secrets/NAME */
  readonly path: string;
  /** @default root */
  readonly owner: string;
  /** @default root */
  readonly group: string;
  /** Four octal digits. @default 0400 */
  readonly mode: string;
  /** systemd units that are restarted when the plaintext changes. @default none */
  readonly restart: readonly string[];
  /** Whether a mode that lets others read is meant. @default false */
  readonly worldReadable: boolean;
}
