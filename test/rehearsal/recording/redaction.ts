import { type Part, partsOf } from "./parts";

/** JSON, as far as it matters here. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Members whose text is told to nobody, whatever it looks like: key material, what sealed files and machines are given. */
const CLOSED =
  /^(value|k|n|x|y|sig|signature|etag|.*(secret|password|token|accesskey|connectionstring|userdata|customdata|fingerprint|uniqueid))$/i;

/** Where Azure puts the names of its errors: one word of letters, however long. */
const CODES = /^(code|error|x-ms-error-code)$/i;

/** Whether a member's text is one part as a whole. */
export function isClosed(name: string): boolean {
  return CLOSED.test(name);
}

/** The parts of a member's text. */
export function memberParts(text: string, name: string): Part[] {
  if (CODES.test(name) && /^[A-Za-z]{1,60}$/.test(text)) return [{ kind: "word", text }];
  return partsOf(text, isClosed(name));
}

/** Names of members are Azure's own, but for ids, of which maps are made. */
export function nameParts(name: string): Part[] {
  return /^(__)?[A-Za-z]{1,40}(_[a-z]{1,10})?$/.test(name) ? [{ kind: "word", text: name }] : partsOf(name);
}

/**
 * Replaces in a run's requests and answers all that belongs to somebody: secrets, keys, tokens, signatures, ids, addresses,
 * names. The same text has the same placeholder everywhere, so what refers to what can still be seen, and a stand-in can be
 * asked the same again. Placeholders are of their kind: a GUID for a GUID, an address of the documentation's range for an
 * address; what is left is `redacted0001`, which is a name that Azure takes, and Base64.
 */
export class Redaction {
  private readonly placeholders = new Map<string, string>();
  private readonly counts = new Map<Part["kind"], number>();

  text(text: string, name = ""): string {
    return memberParts(text, name)
      .map((part) => this.part(part))
      .join("");
  }

  json(value: Json, name = ""): Json {
    if (typeof value === "string") return this.text(value, name);
    if (Array.isArray(value)) return value.map((item) => this.json(item, name));
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).map(([key, member]) => [this.name(key), this.json(member, key)]);
    return Object.fromEntries(members);
  }

  private name(name: string): string {
    return nameParts(name)
      .map((part) => this.part(part))
      .join("");
  }

  private part({ kind, text }: Part): string {
    if (kind === "word") return text;
    if (kind === "date") return "2000-01-01T00:00:00Z";
    const key = `${kind} ${kind === "opaque" ? text : text.toLowerCase()}`;
    const known = this.placeholders.get(key);
    if (known !== undefined) return known;
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    const made = placeholder(kind, count);
    this.placeholders.set(key, made);
    return made;
  }
}

function placeholder(kind: Exclude<Part["kind"], "word" | "date">, count: number): string {
  const digits = (length: number) => `${count}`.padStart(length, "0");
  if (kind === "guid") return `00000000-0000-4000-8000-${digits(12)}`;
  if (kind === "ipv4") return `198.51.${100 + Math.floor(count / 256)}.${count % 256}`;
  return kind === "ipv6" ? `2001:db8::${count.toString(16)}` : `redacted${digits(4)}`;
}
