import {
  at,
  choice,
  type Field,
  gather,
  MalformedError,
  malformed,
  map,
  mustBe,
  NAMESPACE,
  optional,
  structure,
  text,
  wholeNumber,
} from "../config/fields";
import { DEFAULTS, follows, ruled, saysOf } from "../config/rules";
import { parseOnionHostname } from "../onion/hostname";
import { SIGNING_KEY } from "./own-secrets";
import { parseAccount, parseMode, parsePath, parseUnits } from "./placement";
import { parseSource, type SecretSource, sourceOf } from "./sources/sources";

/** A secret's name: what its files, its place on the VM and its resources are called. */
export type SecretName = string;

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

const KEYS = [
  "source",
  "kind",
  "hostname",
  "generation",
  "from",
  "path",
  "owner",
  "group",
  "mode",
  "restart",
  "worldReadable",
];

/**
 * Reads the map of secrets (configuration key `secrets`), fills in the defaults and checks all of them together.
 * Pure: no file is read and no secret is asked for.
 * @throws MalformedError with one line for each problem
 */
export function parseSecrets(value: unknown): SecretDeclaration[] {
  const field = { path: "secrets", value };
  const remedy = `type pulumi config set --path '${NAMESPACE}:secrets.onion-key.source.onion.prefix' ''`;
  const secrets = map(field, "a map of at least one secret by name", parseSecret);
  if (secrets.length === 0) throw mustBe(field, "a map of at least one secret by name", remedy);
  checkPaths(secrets);
  checkRenames(secrets);
  return secrets;
}

function parseSecret(name: SecretName, field: Field): SecretDeclaration {
  checkName(`secret's name`, name, `${NAMESPACE}:secrets`);
  if (name === SIGNING_KEY) {
    throw malformed(`${field.path} is what signs the stack's systems`, `choose another name in ${NAMESPACE}:secrets`);
  }
  const keys = structure(field, KEYS);
  const value = (key: string) => at(field.path, keys, key);
  const { access, identity, ...parts } = gather({
    source: () => parseSource(value("source")),
    identity: () => parseIdentity(value("kind"), value("hostname"), value("source")),
    generation: () => optional(value("generation"), 1, (generation) => wholeNumber(generation, 1, 1_000_000)),
    path: () => optional(value("path"), `/run/secrets/${name}`, (path) => parsePath(path, name)),
    owner: () => optional(value("owner"), DEFAULTS.secret.owner, parseAccount),
    group: () => optional(value("group"), DEFAULTS.secret.group, parseAccount),
    access: () => parseMode(value("mode"), value("worldReadable")),
    restart: () => optional(value("restart"), [], parseUnits),
    from: () =>
      optional(value("from"), undefined, (from) => ruled(from, "name", `a secret's name (${saysOf("name")})`)),
  });
  if (identity.kind && access.worldReadable) {
    throw malformed(
      `${field.path} holds an onion key that others may read`,
      `remove ${NAMESPACE}:${field.path}.worldReadable`,
    );
  }
  const { from, ...known } = parts;
  return { name, ...known, ...identity, ...access, ...(from === undefined ? {} : { from }) };
}

/** What an onion key is known by: `kind`, and the hostname that an imported one must have. */
function parseIdentity(kind: Field, hostname: Field, source: Field): Pick<SecretDeclaration, "kind" | "hostname"> {
  const isNew = makesOnionKey(source);
  const isOnion = optional(kind, isNew, (field) => choice(field, ["onion"]) === "onion");
  if (hostname.value === undefined) return isOnion ? { kind: "onion" } : {};
  if (isNew) {
    const problem = `${hostname.path} is for imported onion keys, the source here makes a new one`;
    throw malformed(problem, `remove ${NAMESPACE}:${hostname.path}`);
  }
  if (!isOnion) throw malformed(`${hostname.path} is for onion keys`, `set ${NAMESPACE}:${kind.path} to onion`);
  return { kind: "onion", hostname: parseHostname(hostname) };
}

/** Whether the source makes a new onion key; what is wrong with a source is said where it is read. */
function makesOnionKey(source: Field): boolean {
  try {
    return sourceOf(parseSource(source)).kind === "onion";
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}

/** An onion hostname in its one spelling, or the path of a file that holds one. */
function parseHostname(field: Field): string {
  const value = text(field, "an onion hostname, or the path of a file that holds it");
  if (!value.trim().toLowerCase().endsWith(".onion")) return value;
  try {
    return parseOnionHostname(value).hostname;
  } catch (error) {
    throw malformed(`${field.path}: ${(error as Error).message}`, `set ${NAMESPACE}:${field.path}`);
  }
}

/** @throws MalformedError if `name` cannot name a file, a resource and a Nix attribute */
export function checkName(what: string, name: string, key: string): void {
  if (follows("name", name)) return;
  throw mustBe({ path: what, value: name }, saysOf("name"), `rename it in ${key}`);
}

/** No secret may hide another one, or lie inside another one's file. */
function checkPaths(secrets: readonly SecretDeclaration[]): void {
  const ordered = [...secrets].sort((left, right) => (left.path < right.path ? -1 : 1));
  for (const [index, secret] of ordered.entries()) {
    const other = ordered
      .slice(index + 1)
      .find(({ path }) => path === secret.path || path.startsWith(`${secret.path}/`));
    if (other === undefined) continue;
    const relation = other.path === secret.path ? "is" : "lies inside";
    const problem = `path "${other.path}" of secret ${other.name} ${relation} the path of secret ${secret.name}`;
    throw malformed(problem, `set ${NAMESPACE}:secrets.${other.name}.path`);
  }
}

/** An old name is no longer declared, and becomes one new name. */
function checkRenames(secrets: readonly SecretDeclaration[]): void {
  for (const { name, from } of secrets) {
    if (from === undefined) continue;
    const key = `${NAMESPACE}:secrets.${name}.from`;
    if (secrets.some((secret) => secret.name === from)) {
      throw malformed(`secrets.${name}.from is "${from}", which is still declared`, `remove ${key}`);
    }
    const rival = secrets.find((secret) => secret.from === from && secret.name !== name);
    if (rival) throw malformed(`secrets ${name} and ${rival.name} are both renamed from "${from}"`, `remove ${key}`);
  }
}
