import type { CloudResource } from "../cloud";
import { isMap } from "../provider/values";

/** A condition of Azure Policy: `{field, equals}`, `{allOf: […]}`, `{not: …}`, `{count: {field}, …}`. */
export type Condition = Readonly<Record<string, unknown>>;

/**
 * Whether a resource is what a rule's `if` describes. The part of the language that built-in policies of vaults, accounts,
 * networks and machines use; an operator that is not known here throws, so that none passes for fulfilled.
 * Source: https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule
 */
export function matches(condition: Condition, resource: CloudResource): boolean {
  const { allOf, anyOf, not } = condition;
  if (Array.isArray(allOf)) return allOf.every((one: Condition) => matches(one, resource));
  if (Array.isArray(anyOf)) return anyOf.some((one: Condition) => matches(one, resource));
  if (isMap(not)) return !matches(not, resource);
  const [operator = "", wanted] = Object.entries(condition).find(([key]) => !["count", "field"].includes(key)) ?? [];
  if (isMap(condition.count)) return compare(operator, valuesOf(`${condition.count.field}`, resource).length, wanted);
  const field = `${condition.field}`;
  const values = valuesOf(field, resource);
  // Of a list, every member has to fulfil it.
  if (field.includes("[*]")) return values.every((value) => compare(operator, value, wanted));
  return compare(operator, values[0], wanted);
}

type Compare = (value: unknown, wanted: unknown) => boolean;
const same = (value: unknown, wanted: unknown) => `${value ?? ""}`.toLowerCase() === `${wanted}`.toLowerCase();
const among = (value: unknown, wanted: unknown) => Array.isArray(wanted) && wanted.some((one) => same(value, one));

const OPERATORS: Readonly<Record<string, Compare>> = {
  equals: same,
  notEquals: (value, wanted) => !same(value, wanted),
  in: among,
  notIn: (value, wanted) => !among(value, wanted),
  exists: (value, wanted) => (value !== undefined) === (`${wanted}` === "true"),
  like: (value, wanted) => pattern(`${wanted}`).test(`${value ?? ""}`),
  notLike: (value, wanted) => !pattern(`${wanted}`).test(`${value ?? ""}`),
  greater: (value, wanted) => Number(value) > Number(wanted),
  less: (value, wanted) => Number(value) < Number(wanted),
};

function compare(operator: string, value: unknown, wanted: unknown): boolean {
  const known = OPERATORS[operator];
  if (known === undefined) throw new Error(`a policy's operator "${operator}" is not known here`);
  return known(value, wanted);
}

function pattern(text: string): RegExp {
  const parts = text.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i");
}

/** The values that a field or an alias stands for: `type`, `tags['team']`, `Microsoft.KeyVault/vaults/sku.name`. */
function valuesOf(field: string, resource: CloudResource): unknown[] {
  const [, tag] = /^tags\['?([^'\]]+)'?\]$/.exec(field) ?? [];
  if (tag !== undefined) return given(resource.tags?.[tag]);
  if (!field.includes("/")) return given((resource as unknown as Record<string, unknown>)[field]);
  if (!field.toLowerCase().startsWith(`${resource.type.toLowerCase()}/`)) return [];
  const path = field.slice(resource.type.length + 1).split(".");
  const inside = walk(resource.properties, path);
  return inside.length > 0 ? inside : walk(resource, path);
}

const given = (value: unknown) => (value === undefined ? [] : [value]);

/** Aliases leave out case and the `properties` of what is inside. */
function walk(value: unknown, [segment = "", ...rest]: readonly string[]): unknown[] {
  if (segment === "") return given(value);
  if (!isMap(value)) return [];
  const isList = segment.endsWith("[*]");
  const name = (isList ? segment.slice(0, -3) : segment).toLowerCase();
  const key = Object.keys(value).find((known) => known.toLowerCase() === name);
  if (key === undefined) return isMap(value.properties) ? walk(value.properties, [segment, ...rest]) : [];
  const next = value[key];
  if (!isList) return walk(next, rest);
  return Array.isArray(next) ? next.flatMap((item) => walk(item, rest)) : [];
}
