import { listed, shown } from "../config/fields";

/** Source: https://developer.hashicorp.com/vault/docs/concepts/policies#capabilities */
const CAPABILITIES = ["create", "read", "update", "patch", "delete", "list", "sudo", "deny", "subscribe", "recover"];

/** What a path's block may say, and of what form. Source: as above, "Fine-grained control". */
const ATTRIBUTES: Readonly<Record<string, "list" | "object" | "text" | "block">> = {
  capabilities: "list",
  required_parameters: "list",
  subscribe_event_types: "list",
  mfa_methods: "list",
  allowed_parameters: "object",
  denied_parameters: "object",
  min_wrapping_ttl: "text",
  max_wrapping_ttl: "text",
  control_group: "block",
};

type Token = { readonly text: string; readonly line: number };
type Value = string | readonly Value[] | ReadonlyMap<string, Value>;

const TOKEN = /\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|("(?:[^"\\\n]|\\.)*"|[A-Za-z_][\w-]*|\d+\w*|[{}[\]=,:])/y;

/**
 * Checks a Vault policy in HCL: blocks `path "…" { … }` with at least one of the capabilities that Vault knows.
 * @returns what is wrong with it and on which line, or undefined
 */
export function policyProblem(hcl: string): string | undefined {
  try {
    const reader = new PolicyReader(tokens(hcl));
    let blocks = 0;
    for (; !reader.isAtEnd(); blocks++) readPath(reader);
    return blocks > 0 ? undefined : 'holds no path "…" { … } block';
  } catch (error) {
    if (error instanceof PolicyError) return error.message;
    throw error;
  }
}

class PolicyError extends Error {
  constructor(problem: string, line: number) {
    super(`${problem} on line ${line}`);
  }
}

function tokens(hcl: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  for (let offset = 0; offset < hcl.length; offset = TOKEN.lastIndex) {
    TOKEN.lastIndex = offset;
    const match = TOKEN.exec(hcl);
    if (match === null) throw new PolicyError(`has an unexpected ${shown(hcl[offset])}`, line);
    if (match[1] !== undefined) found.push({ text: match[1], line });
    line += match[0].split("\n").length - 1;
  }
  return found;
}

/** Walks over the tokens of a policy. */
class PolicyReader {
  private index = 0;

  constructor(private readonly all: readonly Token[]) {}

  isAtEnd(): boolean {
    return this.index >= this.all.length;
  }

  next(expected: string, matches: (text: string) => boolean): Token {
    const token = this.all[this.index];
    if (token === undefined) throw new PolicyError("is cut short", this.all.at(-1)?.line ?? 1);
    if (!matches(token.text)) throw new PolicyError(`must have ${expected}, got ${shown(token.text)}`, token.line);
    this.index++;
    return token;
  }

  take(text: string): boolean {
    const isNext = this.all[this.index]?.text === text;
    if (isNext) this.index++;
    return isNext;
  }
}

function readPath(reader: PolicyReader): void {
  const { line } = reader.next('path "…"', (text) => text === "path");
  const path = reader.next("a path in quotes", isQuoted).text;
  if (path === '""') throw new PolicyError("has an empty path", line);
  reader.next("{", (text) => text === "{");
  let hasCapabilities = false;
  while (!reader.take("}")) hasCapabilities = readAttribute(reader) === "capabilities" || hasCapabilities;
  if (!hasCapabilities) throw new PolicyError(`path ${path} has no capabilities`, line);
}

function readAttribute(reader: PolicyReader): string {
  const { text: name, line } = reader.next(`one of ${listed(Object.keys(ATTRIBUTES))}`, (text) => text in ATTRIBUTES);
  const form = ATTRIBUTES[name];
  if (!reader.take("=") && form !== "block") throw new PolicyError(`must have = after ${name}`, line);
  const value = readValue(reader);
  if (form === "list" && !Array.isArray(value)) throw new PolicyError(`${name} must be a list`, line);
  if (form === "object" && !(value instanceof Map)) throw new PolicyError(`${name} must be a { … } block`, line);
  if (form === "text" && typeof value !== "string") throw new PolicyError(`${name} must be a duration`, line);
  if (name === "capabilities") checkCapabilities(value, line);
  return name;
}

function readValue(reader: PolicyReader): Value {
  if (reader.take("[")) {
    const items: Value[] = [];
    while (!reader.take("]")) {
      items.push(readValue(reader));
      if (!reader.take(",")) {
        reader.next("]", (text) => text === "]");
        break;
      }
    }
    return items;
  }
  return reader.take("{") ? readObject(reader) : reader.next("a value", isScalar).text;
}

/** `key = value, …` up to the closing brace, and nested blocks, as a control group has them: `factor "name" { … }`. */
function readObject(reader: PolicyReader): ReadonlyMap<string, Value> {
  const entries = new Map<string, Value>();
  while (!reader.take("}")) {
    const key = reader.next("a name", isScalar).text;
    entries.set(key, reader.take("=") || reader.take(":") ? readValue(reader) : readBlock(reader));
    reader.take(",");
  }
  return entries;
}

function readBlock(reader: PolicyReader): ReadonlyMap<string, Value> {
  if (!reader.take("{")) {
    reader.next("= or a block", isQuoted);
    reader.next("{", (text) => text === "{");
  }
  return readObject(reader);
}

function checkCapabilities(value: Value, line: number): void {
  const given = Array.isArray(value) ? value.map((item) => `${item}`.replaceAll('"', "")) : [];
  const unknown = given.find((capability) => !CAPABILITIES.includes(capability));
  if (unknown !== undefined) {
    throw new PolicyError(`has an unknown capability ${shown(unknown)} (${listed(CAPABILITIES)})`, line);
  }
  if (given.length === 0) throw new PolicyError("has an empty list of capabilities", line);
}

function isQuoted(text: string): boolean {
  return text.startsWith('"');
}

function isScalar(text: string): boolean {
  return /^["\w]/.test(text);
}
