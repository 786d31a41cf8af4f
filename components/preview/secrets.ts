import { type SecretSource, sourceOf } from "../secrets/sources/sources";
import { type PlannedChange, textIn } from "./plan";

/** What happens to one declared secret, in words. */
export interface SecretChange {
  name: string;
  /** What `pulumi up` will do. */
  action: "new" | "re-wrap" | "removed" | "renamed" | "seal again";
  why: string;
  /** What a reviewer should stop at. */
  warning?: string;
}

/** Parts of a secret's command that change what is sealed; the others change for whom. */
const CAUSES = ["GENERATION", "KIND", "SOURCE"];
const CONTENT = ["FINGERPRINT", ...CAUSES];

function isSeal({ type, component, kind }: PlannedChange): boolean {
  return kind !== "same" && type === "command:local:Command" && component === "sealed-onion:index:SealedSecret";
}

function environment(change: PlannedChange, side: "old" | "next", name: string): string | undefined {
  return textIn(change[side], "environment", name);
}

function changedNames({ changed }: PlannedChange): string[] {
  return changed.flatMap((path) => (path.startsWith("environment.") ? [path.slice("environment.".length)] : []));
}

function isOnion(change: PlannedChange): boolean {
  if (environment(change, "next", "KIND") === "onion") return true;
  const source = environment(change, "next", "SOURCE") ?? environment(change, "old", "SOURCE");
  return source !== undefined && sourceOf(JSON.parse(source) as SecretSource).generated !== undefined;
}

function recipients(text: string | undefined): string[] {
  if (text === undefined) return [];
  const { age = [], pgp = [] } = JSON.parse(text) as { age?: string[]; pgp?: string[] };
  return [...age, ...pgp];
}

/** Enough of a public key to know it by: its kind and its end. */
function shortly(recipient: string): string {
  const [kind, key] = recipient.split(" ");
  if (key !== undefined) return `${kind} …${key.slice(-12)}`;
  return recipient.length <= 24 ? recipient : `${recipient.slice(0, 8)}…${recipient.slice(-12)}`;
}

function counted(word: string, some: string[]): string[] {
  if (some.length === 0) return [];
  const names = some.map((one) => `\`${shortly(one)}\``).join(", ");
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

function reason(change: PlannedChange, name: string): string | undefined {
  const [old, next] = [environment(change, "old", name), environment(change, "next", name)];
  if (name === "GENERATION") return `generation ${old} → ${next}`;
  if (name === "SOURCE") return "another source";
  if (name === "FINGERPRINT") return "its content changed";
  if (name === "RECIPIENTS") return recipientsWord(change);
  if (name === "KEY_URL") return "another version of the vault's key";
  return name === "KIND" ? "another kind" : undefined;
}

function updated(change: PlannedChange, name: string): SecretChange {
  const names = changedNames(change);
  // a fingerprint follows from source and generation: by itself it tells of new content
  const telling = names.filter((changed) => changed !== "FINGERPRINT" || !names.some((one) => CAUSES.includes(one)));
  const why = telling.flatMap((changed) => reason(change, changed) ?? []).join("; ");
  if (names.includes("SECRET")) return { name, action: "renamed", why: `was ${environment(change, "old", "SECRET")}` };
  if (!names.some((changed) => CONTENT.includes(changed))) return { name, action: "re-wrap", why };
  const warning = isOnion(change) ? { warning: `\`${name}\` gets a new onion address: the old one is gone` } : {};
  return { name, action: "seal again", why, ...warning };
}

function secretChange(change: PlannedChange): SecretChange {
  const side = change.kind === "delete" ? "old" : "next";
  const name = environment(change, side, "SECRET") ?? change.name.replace(/-seal$/, "");
  if (change.kind === "create")
    return { name, action: "new", why: isOnion(change) ? "a new onion key" : "sealed for the first time" };
  if (change.kind !== "delete") return updated(change, name);
  const warning = isOnion(change)
    ? { warning: `the sealed file of onion key \`${name}\` goes: only git still has its address` }
    : {};
  return { name, action: "removed", why: "no longer declared", ...warning };
}

/** Every secret that something happens to, by name. */
export function secretChanges(changes: readonly PlannedChange[]): SecretChange[] {
  return changes
    .filter(isSeal)
    .map(secretChange)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
