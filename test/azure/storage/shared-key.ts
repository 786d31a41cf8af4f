import type { IncomingHttpHeaders } from "node:http";

/** Standard headers that are signed by position, after the method. */
const SIGNED = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

function value(headers: IncomingHttpHeaders, name: string): string {
  const found = headers[name];
  const text = Array.isArray(found) ? found.join(",") : (found ?? "");
  return name === "content-length" && text === "0" ? "" : text;
}

function canonicalHeaders(headers: IncomingHttpHeaders): string {
  const names = Object.keys(headers).filter((name) => name.startsWith("x-ms-"));
  const sorted = names.sort((a, b) => a.localeCompare(b));
  return sorted.map((name) => `${name}:${value(headers, name).trimStart()}\n`).join("");
}

function canonicalQuery(query: URLSearchParams): string {
  const entries = [...query].map(([name, text]) => [name.toLowerCase(), text] as const);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, text]) => `\n${name}:${text}`).join("");
}

/**
 * The text that a storage request's SharedKey signature covers.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 *
 * @param headers lower-case names
 */
export function stringToSign(method: string, account: string, url: URL, headers: IncomingHttpHeaders): string {
  const standard = SIGNED.map((name) => value(headers, name)).join("\n");
  return `${method}\n${standard}\n${canonicalHeaders(headers)}/${account}${url.pathname}${canonicalQuery(url.searchParams)}`;
}
