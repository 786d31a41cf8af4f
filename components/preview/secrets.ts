import type { KeyKind } from "../secrets/sources/source";
import { keyKindOf, type SecretSource } from "../secrets/sources/sources";
import { type Inputs, isUnknown, type PlannedChange, shortKey, textIn } from "./plan";

/** What happens to one declared secret, in words. */
export interface SecretChange {
  name: string;
  /** What `pulumi up` will do. */
  action: "new" | "other file" | "re-wrap" | "removed" | "renamed" | "seal again";
  why: string;
  /** What a reviewer should stop at. */
  warning?: string;
}

/** Parts of a secret's command that change what is sealed; the others change for whom. */
const CAUSES = ["GENERATION", "KIND", "SOURCE"];
const CONTENT = ["FINGERPRINT", ...CAUSES];

/** A change of what the command gets says something; one of its standard input or command line does not. */
function isSeal(change: PlannedChange): boolean {
  const { type, component, kind } = change;
  if (kind === "update" && changedNames(change).length === 0) return false;
  return kind !== "same" && type === "command:local:Command" && component === "sealed-onion:index:SealedSecret";
}

function environment(change: PlannedChange, side: "old" | "next", name: string): string | undefined {
  return textIn(change[side], "environment", name);
}

function changedNames({ changed }: PlannedChange): string[] {
  return changed.flatMap((path) => (path.startsWith("environment.") ? [path.slice("environment.".length)] : []));
}

/** The kind of key that the secret is, if it is one. */
function keyKind(change: PlannedChange): KeyKind | undefined {
  const isOnion = (environment(change, "next", "KIND") ?? environment(change, "old", "KIND")) === "onion";
  const source = environment(change, "next", "SOURCE") ?? environment(change, "old", "SOURCE");
  return source === undefined ? undefined : keyKindOf({ source: JSON.parse(source) as SecretSource, isOnion });
}

function recipients(text: string | undefined): string[] {
  if (text === undefined) return [];
  const { age = [], pgp = [] } = JSON.parse(text) as { age?: string[]; pgp?: string[] };
  return [...age, ...pgp];
}

function counted(word: string, some: string[]): string[] {
  if (some.length === 0) return [];
  const names = some.map((one) => `\`${shortKey(one)}\``).join(", ");
  return [`${some.length} ${word} recipient${some.length === 1 ? "" : "s"} (${names})`];
}

/** Who may open the secret from now on, and who may not any more: what a reviewer has to agree to. */
function recipientsWord(change: PlannedChange): string {
  const old = recipients(environment(change, "old", "RECIPIENTS"));
  const next = recipients(environment(change, "next", "RECIPIENTS"));
  const more = next.filter((one) => !old.includes(one));
  const fewer = old.filter((one) => !next.includes(one));
  return [...counted("more", more), ...counted("fewer", fewer)].join(", ") || "its recipients in another order";
}

/** A key in another vault is not known before that is made. */
function keyWord(old: string | undefined, next: string | undefined): string {
  const vault = (url: string) => url.split("/")[2];
  if (old === undefined || next === undefined) return "another key, or another version of it";
  return vault(old) === vault(next) ? "another version of the vault's key" : `the key of another vault, ${vault(next)}`;
}

function reason(change: PlannedChange, name: string): string | undefined {
  const [old, next] = [environment(change, "old", name), environment(change, "next", name)];
  if (name === "GENERATION") return `generation ${old} → ${next}`;
  if (name === "SOURCE") return "another source";
  if (name === "FINGERPRINT") return "its content changed";
  if (name === "RECIPIENTS") return recipientsWord(change);
  if (name === "KEY_URL") return keyWord(old, next);
  return name === "KIND" ? "another kind" : undefined;
}

function updated(change: PlannedChange, name: string): SecretChange {
  const names = changedNames(change);
  // a fingerprint follows from source and generation: by itself it tells of new content
  const telling = names.filter((changed) => changed !== "FINGERPRINT" || !names.some((one) => CAUSES.includes(one)));
  const why = telling.flatMap((changed) => reason(change, changed) ?? []).join("; ");
  if (names.includes("SECRET")) return { name, action: "renamed", why: `was ${environment(change, "old", "SECRET")}` };
  if (!names.some((changed) => CONTENT.includes(changed))) return { name, action: "re-wrap", why };
  const key = keyKind(change);
  const warning = key ? { warning: `\`${name}\` gets ${key.renewed}: the old one is gone` } : {};
  return { name, action: "seal again", why, ...warning };
}

function secretChange(change: PlannedChange): SecretChange {
  const side = change.kind === "delete" ? "old" : "next";
  const name = environment(change, side, "SECRET") ?? change.name.replace(/-seal$/, "");
  const key = keyKind(change);
  if (change.kind === "create")
    return { name, action: "new", why: key ? `a new ${key.what}` : "sealed for the first time" };
  if (change.kind !== "delete") return updated(change, name);
  const warning = key ? { warning: `the sealed file of ${key.what} \`${name}\` goes: only git still has it` } : {};
  return { name, action: "removed", why: "no longer declared", ...warning };
}

/** Digests or contents of sealed files by secret, as the image is built of them or the user data holds them. */
function deployedFiles(change: PlannedChange, side: "old" | "next"): Record<string, unknown> | undefined {
  const digests = environment(change, side, "SEALED");
  if (digests !== undefined) return JSON.parse(digests);
  const userData = textIn(change[side], "userData");
  if (change.type !== "azure-native:compute:VirtualMachine" || userData === undefined) return undefined;
  return (JSON.parse(Buffer.from(userData, "base64").toString()) as { secrets?: Inputs }).secrets;
}

/** Names of secrets whose sealed file is another one although nothing seals them: swapped, or rolled back. */
function otherFiles(change: PlannedChange): string[] {
  const [before, after] = [deployedFiles(change, "old"), deployedFiles(change, "next")];
  if (before === undefined || after === undefined) return [];
  const isOther = (name: string) => before[name] !== undefined && differ(before[name], after[name]);
  return Object.keys(after).filter(isOther);
}

function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

function otherFile(name: string): SecretChange {
  const why = "its file in git is another one than was deployed: rolled back, swapped, or sealed by hand";
  return {
    name,
    action: "other file",
    why,
    warning: `the sealed file of \`${name}\` is not the one that was deployed`,
  };
}

/** Whether sealed files will be known only once others are sealed: one that was swapped would not be seen. */
export function filesUnknown(changes: readonly PlannedChange[]): boolean {
  return changes.some(
    ({ kind, next }) => kind === "update" && isUnknown((next.environment as Inputs | undefined)?.SEALED),
  );
}

/** Every secret that something happens to, by name. */
export function secretChanges(changes: readonly PlannedChange[]): SecretChange[] {
  const sealed = changes.filter(isSeal).map(secretChange);
  const others = [...new Set(changes.filter(({ kind }) => kind !== "same").flatMap(otherFiles))];
  const swapped = others.filter((name) => !sealed.some((secret) => secret.name === name)).map(otherFile);
  return [...sealed, ...swapped].sort((a, b) => (a.name < b.name ? -1 : 1));
}
