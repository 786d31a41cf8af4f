import { nearest } from "./nearest";

/** The namespace of this project's configuration keys. */
export const NAMESPACE = "sealed-onion";

/** One value of the configuration and where it stands, e.g. `secrets.api-token.mode`. */
export interface Field {
  readonly value: unknown;
  readonly path: string;
}

/** What is wrong with a configuration: one line a problem, for people, found before anything is created. */
export class MalformedError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** `<path> must be <allowed>, got <value>: <what to type>`, with a remedy of its own where "set it" is not one. */
export function mustBe(field: Field, allowed: string, remedy = `set ${NAMESPACE}:${field.path}`): MalformedError {
  return new MalformedError([`${field.path} must be ${allowed}, got ${shown(field.value)}: ${remedy}`]);
}

/** As {@link mustBe}, for a value that may be a secret typed into the wrong place: only its shape is shown. */
export function mustBeUnseen(field: Field, allowed: string, remedy?: string): MalformedError {
  return mustBe({ path: field.path, value: new Shape(field.value) }, allowed, remedy);
}

/** A sentence of another form: `<problem>: <remedy>`. */
export function malformed(problem: string, remedy: string): MalformedError {
  return new MalformedError([`${problem}: ${remedy}`]);
}

/** Reads every part and reports all that is wrong with them together. */
export function gather<T extends object>(readers: { readonly [K in keyof T]: () => T[K] }): T {
  const parts: Partial<T> = {};
  const problems: string[] = [];
  for (const key of Object.keys(readers) as (keyof T)[]) {
    try {
      parts[key] = readers[key]();
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new MalformedError(problems);
  return parts as T;
}

/** The field of that name inside an object; its value is undefined where there is none. */
export function at(path: string, record: Readonly<Record<string, unknown>>, key: string): Field {
  return { path: `${path}.${key}`, value: record[key] };
}

/** The field's value, read by `read`, or `fallback` where nothing is set. */
export function optional<T, F>(field: Field, fallback: F, read: (field: Field) => T): T | F {
  return field.value === undefined ? fallback : read(field);
}

/** An object of any keys. */
export function record(field: Field, allowed = "an object"): Readonly<Record<string, unknown>> {
  if (typeof field.value !== "object" || field.value === null || Array.isArray(field.value)) {
    throw mustBeUnseen(field, allowed);
  }
  return field.value as Readonly<Record<string, unknown>>;
}

/** An object with no other keys than these. */
export function structure(field: Field, keys: readonly string[]): Readonly<Record<string, unknown>> {
  const value = record(field);
  const problems = Object.keys(value)
    .filter((key) => !keys.includes(key))
    .map((key) => unknownKey(`${field.path} has an unknown key`, key, keys));
  if (problems.length > 0) throw new MalformedError(problems);
  return value;
}

/** `<what> "onwer", allowed are owner, group: did you mean "owner"`. */
export function unknownKey(what: string, key: string, allowed: readonly string[]): string {
  const suggestion = nearest(key, allowed);
  const remedy = suggestion === undefined ? "remove it" : `did you mean "${suggestion}"`;
  return `${what} ${shown(key)}, allowed are ${allowed.join(", ")}: ${remedy}`;
}

/** A text that is not empty and, where a pattern is given, matches it. */
export function text(field: Field, allowed: string, pattern = /^[\s\S]+$/): string {
  if (typeof field.value !== "string" || !pattern.test(field.value)) throw mustBe(field, allowed);
  return field.value;
}

export function boolean(field: Field): boolean {
  if (typeof field.value !== "boolean") throw mustBe(field, "true or false");
  return field.value;
}

export function wholeNumber(field: Field, least: number, most: number): number {
  const value = field.value;
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw mustBe(field, `a whole number from ${least} to ${most}`);
  }
  return value;
}

/** One of a few values. */
export function choice<T extends string | number>(field: Field, values: readonly T[]): T {
  const found = values.find((value) => value === field.value);
  if (found === undefined) throw mustBe(field, listed(values));
  return found;
}

/** A list, each item read by `read`; all that is wrong in it is reported together. */
export function list<T>(field: Field, allowed: string, read: (item: Field) => T): T[] {
  if (!Array.isArray(field.value)) throw mustBeUnseen(field, allowed);
  const items: unknown[] = field.value;
  return items.length === 0
    ? []
    : all(items.map((value, index) => () => read({ path: `${field.path}[${index}]`, value })));
}

/** A map from names to values, read by `read` in the order of the names; all problems are reported together. */
export function map<T>(field: Field, allowed: string, read: (name: string, item: Field) => T): T[] {
  const items = record(field, allowed);
  return all(
    Object.keys(items)
      .sort()
      .map((name) => () => read(name, at(field.path, items, name))),
  );
}

function all<T>(readers: readonly (() => T)[]): T[] {
  return Object.values(gather<Record<string, T>>(Object.fromEntries(readers.entries())));
}

/** A list whose items differ. */
export function distinct<T extends string | number>(field: Field, items: readonly T[]): readonly T[] {
  const twice = items.find((item, index) => items.indexOf(item) < index);
  if (twice !== undefined) {
    throw malformed(`${field.path} holds ${shown(twice)} twice`, `remove one of them from ${NAMESPACE}:${field.path}`);
  }
  return items;
}

/** `2048, 3072 or 4096` */
export function listed(values: readonly (string | number)[]): string {
  const last = values.at(-1);
  return values.length < 2 ? `${last}` : `${values.slice(0, -1).join(", ")} or ${last}`;
}

/** A value as an error shows it: one line, shortened. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value instanceof Shape) return value.toString();
  if (typeof value === "string" && value.length > 60) return JSON.stringify(`${value.slice(0, 60)}…`);
  const json = JSON.stringify(value) ?? typeof value;
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

/** Stands for a value whose content must not be shown. */
class Shape {
  constructor(private readonly value: unknown) {}

  toString(): string {
    if (typeof this.value === "string") return `a text of ${this.value.length} characters`;
    if (this.value === undefined) return "nothing";
    if (this.value === null) return "null";
    if (Array.isArray(this.value)) return `a list of ${this.value.length}`;
    return typeof this.value === "object" ? "an object" : `a ${typeof this.value}`;
  }
}
