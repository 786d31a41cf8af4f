import type { HttpEntry } from "./entries";
import type { Body } from "./forward";
import type { Json, Redaction } from "./redaction";

/** What is kept of the headers, by name: none of them bears a secret. */
const ASKED =
  /^(content-type|content-length|range|if-match|if-none-match|x-ms-(version|range|source-range|copy-source|blob-type|blob-content-length|page-write|delete-snapshots|lease-(action|id|duration)|proposed-lease-id|meta-[a-z0-9_]+))$/;
const ANSWERED =
  /^(content-type|content-range|www-authenticate|retry-after|etag|x-ms-(error-code|blob-type|lease-(state|status)|copy-status|blob-content-length|meta-[a-z0-9_]+))$/;

type Headers = NodeJS.Dict<string | string[]>;

export interface Raw {
  readonly at: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly request: Body;
  readonly answer: Body & { readonly status: number; readonly headers: Headers };
}

/** One request and its answer, redacted. */
export function httpEntry(raw: Raw, redaction: Redaction): HttpEntry {
  const { at, method, answer } = raw;
  return {
    kind: "http",
    at,
    method,
    url: redaction.text(raw.url),
    headers: {
      ...shown(raw.headers, ASKED, redaction),
      ...(raw.headers.authorization !== undefined && { authorization: "Bearer" }),
    },
    body: bodyOf(raw.request, raw.headers, redaction),
    answer: {
      status: answer.status,
      headers: shown(answer.headers, ANSWERED, redaction),
      body: redaction.json(readBody(answer, answer.headers)),
    },
  };
}

function bodyOf(body: Body, headers: Headers, redaction: Redaction): Json {
  return redaction.json(readBody(body, headers));
}

/** JSON as it is; of XML the code of an error; of all else the length. */
export function readBody({ bytes, head }: Body, headers: Headers): Json {
  const type = String(headers["content-type"] ?? "");
  if (bytes === 0) return null;
  if (bytes === head.length && type.includes("json")) return parsed(head.toString("utf8")) ?? { bytes };
  const [, code] = /<Code>(\w+)<\/Code>/.exec(type.includes("xml") ? head.toString("utf8") : "") ?? [];
  if (code !== undefined) return { code };
  return type.includes("xml") || type.includes("text") ? { text: true } : { bytes };
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The headers that are compared, in the order of their names. */
export function answeredHeaders(headers: Headers): [name: string, value: string][] {
  return named(headers, ANSWERED);
}

function shown(headers: Headers, wanted: RegExp, redaction: Redaction): { [name: string]: string } {
  return Object.fromEntries(named(headers, wanted).map(([name, value]) => [name, redaction.text(value, name)]));
}

function named(headers: Headers, wanted: RegExp): [name: string, value: string][] {
  return Object.entries(headers)
    .filter(([name, value]) => value !== undefined && wanted.test(name))
    .map(([name, value]): [string, string] => [name, String(value)])
    .sort(([left], [right]) => left.localeCompare(right));
}
