import type { Part } from "./parts";
import { partsOf } from "./parts";
import { isClosed, type Json, memberParts, nameParts } from "./redaction";

/** What a recording's placeholders stand for in an answer that is compared with it. */
export class Bindings {
  private readonly values = new Map<string, string>();
  private readonly taken = new Map<string, string>();

  /** The same text as it is asked now. */
  text(recorded: string, name = ""): string {
    return memberParts(recorded, name)
      .map((part) => this.values.get(keyOf(part)) ?? part.text)
      .join("");
  }

  json(recorded: Json, name = ""): Json {
    if (typeof recorded === "string") return this.text(recorded, name);
    if (Array.isArray(recorded)) return recorded.map((item) => this.json(item, name));
    if (typeof recorded !== "object" || recorded === null) return recorded;
    const members = Object.entries(recorded).map(([key, member]) => [
      nameParts(key)
        .map((part) => this.values.get(keyOf(part)) ?? part.text)
        .join(""),
      this.json(member, key),
    ]);
    return Object.fromEntries(members);
  }

  /** What changes with each write, no matter by what: only what it is now matters. */
  renew(recorded: string, found: string): void {
    this.values.set(keyOf({ kind: "opaque", text: recorded }), found);
  }

  /** Whether two parts may be the same thing; the first time they meet they become it. */
  bind(recorded: Part, found: Part): boolean {
    if (recorded.kind === "word" || found.kind === "word") return recorded.text === found.text;
    if (recorded.kind !== found.kind) return false;
    if (recorded.kind === "date") return true;
    const [known, other] = [this.values.get(keyOf(recorded)), this.taken.get(keyOf(found))];
    if (known === undefined && other === undefined) {
      this.values.set(keyOf(recorded), found.text);
      this.taken.set(keyOf(found), recorded.text);
      return true;
    }
    return known?.toLowerCase() === found.text.toLowerCase();
  }
}

function keyOf({ kind, text }: Part): string {
  return `${kind} ${kind === "opaque" ? text : text.toLowerCase()}`;
}

/** Seconds since 1970: the time of a run. */
const isTime = (value: Json) => typeof value === "number" && value > 1e9 && value < 1e10;

/** Where what the stand-in answers differs from what Azure answered, one line each; none where nothing does. */
export function differences(recorded: Json, found: Json, bindings: Bindings, at = ""): string[] {
  if (Array.isArray(recorded) && Array.isArray(found)) {
    if (recorded.length !== found.length) return [`${at}: Azure has ${recorded.length}, the stand-in ${found.length}`];
    return recorded.flatMap((item, index) => differences(item, found[index] ?? null, bindings, `${at}[${index}]`));
  }
  if (isObject(recorded) && isObject(found)) return memberDifferences(recorded, found, bindings, at);
  const name = /(?:^|\.)([^.[\]]+)(?:\[\d+\])?$/.exec(at)?.[1] ?? "";
  if (typeof recorded === "string" && typeof found === "string") {
    if (name === "etag") {
      bindings.renew(recorded, found);
      return [];
    }
    const isSame = isEqual(memberParts(recorded, name), memberParts(found, name), bindings);
    return isSame ? [] : [`${at}: Azure says ${shown(recorded, name)}, the stand-in ${shown(found, name)}`];
  }
  if (recorded === found || (isTime(recorded) && isTime(found))) return [];
  return [`${at}: Azure says ${shown(recorded, name)}, the stand-in ${shown(found, name)}`];
}

type Members = { readonly [name: string]: Json };

function isObject(value: Json): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function memberDifferences(recorded: Members, found: Members, bindings: Bindings, at: string): string[] {
  const place = (name: string) => (at === "" ? name : `${at}.${name}`);
  const left = new Map(Object.entries(found));
  const lines = Object.entries(recorded).flatMap(([name, value]) => {
    const other = [...left.keys()].find((key) => isEqual(nameParts(name), nameParts(key), bindings));
    if (other === undefined) return [`${place(name)}: only Azure has it`];
    const member = left.get(other) ?? null;
    left.delete(other);
    return differences(value, member, bindings, place(name));
  });
  return [...lines, ...[...left.keys()].map((name) => `${place(name)}: only the stand-in has it`)];
}

function isEqual(recorded: readonly Part[], found: readonly Part[], bindings: Bindings): boolean {
  return (
    recorded.length === found.length &&
    recorded.every((part, index) => found[index] && bindings.bind(part, found[index]))
  );
}

/** What the stand-in says is made up, what Azure said is redacted; and yet nothing closed is shown. */
function shown(value: Json, name: string): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  if (typeof value !== "string") return String(value);
  return isClosed(name)
    ? "something else"
    : `'${partsOf(value)
        .map(({ text }) => text)
        .join("")}'`;
}
