import type { ChangeKind, Diff } from "./provider";
import { isMap, isUnknown, type PropertyMap } from "./values";

type Change = "add" | "delete" | "update";

/** `a.b`, `list[0].c`: how Pulumi writes property paths. */
function member(base: string, key: string): string {
  return base === "" ? key : `${base}.${key}`;
}

function itemChanges(old: unknown[], now: unknown[], path: string): [string, Change][] {
  const common = Math.min(old.length, now.length);
  const changed = now.slice(0, common).flatMap((value, index) => changes(old[index], value, `${path}[${index}]`));
  const added = now.slice(common).map((_, index): [string, Change] => [`${path}[${common + index}]`, "add"]);
  const deleted = old.slice(common).map((_, index): [string, Change] => [`${path}[${common + index}]`, "delete"]);
  return [...changed, ...added, ...deleted];
}

function mapChanges(old: PropertyMap, now: PropertyMap, path: string): [string, Change][] {
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return keys.flatMap((key): [string, Change][] => {
    const at = member(path, key);
    if (old[key] === undefined) return now[key] === undefined ? [] : [[at, "add"]];
    return now[key] === undefined ? [[at, "delete"]] : changes(old[key], now[key], at);
  });
}

/** Where two values differ, by path; an unknown differs from everything. */
export function changes(old: unknown, now: unknown, path = ""): [string, Change][] {
  if (isUnknown(now) || isUnknown(old)) return [[path, "update"]];
  if (Array.isArray(old) && Array.isArray(now)) return itemChanges(old, now, path);
  if (isMap(old) && isMap(now)) return mapChanges(old, now, path);
  return old === now ? [] : [[path, "update"]];
}

/** `list[3].c` -> `list[].c`: how replacement rules name the items of a list. */
export function withoutIndexes(path: string): string {
  return path.replace(/\[\d+\]/g, "[]");
}

/** Whether `path` is one of `rules` or lies below one. */
export function isCovered(path: string, rules: readonly string[]): boolean {
  const bare = withoutIndexes(path);
  return rules.some((rule) => bare === rule || bare.startsWith(`${rule}.`) || bare.startsWith(`${rule}[`));
}

function kindOf(change: Change, replaces: boolean): ChangeKind {
  return replaces ? `${change}-replace` : change;
}

/**
 * The detailed diff of two sets of inputs.
 * @param replaceOn property paths whose change makes a new resource (`[]` for any item)
 */
export function detailedDiff(old: PropertyMap, now: PropertyMap, replaceOn: readonly string[]): Diff["detailed"] {
  const found = changes(old, now);
  return Object.fromEntries(found.map(([path, change]) => [path, kindOf(change, isCovered(path, replaceOn))]));
}

/** Paths of a detailed diff that make a new resource. */
export function replacements(detailed: Diff["detailed"]): string[] {
  return Object.entries(detailed).flatMap(([path, kind]) => (kind.endsWith("-replace") ? [path] : []));
}
