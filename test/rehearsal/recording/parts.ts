import { isIP } from "node:net";
import { isRegion } from "loopback-azure/provider/arm";
import { kinds } from "loopback-azure/provider/kinds/index";
import { builtInRole } from "loopback-azure/resource-manager/role-definitions";
import { nobodysSshKey } from "../ssh-key";

/** A piece of a text: a word that may be read by everybody, or something that a recording has a placeholder for. */
export interface Part {
  readonly kind: "word" | "guid" | "ipv4" | "ipv6" | "date" | "opaque";
  readonly text: string;
}

/** Longer words that Azure's own documentation has: all else that is long may be a key. */
const KNOWN = new Set(
  [
    ...kinds.flatMap(({ type, allowed = {} }) => [...type.split("/"), ...Object.values(allowed).flat().map(String)]),
    ...[
      "RSA-OAEP-256",
      "RSA-OAEP",
      "utf-8",
      "ssh-ed25519",
      "retrieveBootDiagnosticsData",
      "serialconsole.log",
      "*",
      "",
    ],
    nobodysSshKey, // a constant of this program
  ].map((word) => word.toLowerCase()),
);

/** What cannot be a secret: one word of letters, a small number, a version, a size. A key of 128 bits has 22 characters. */
const WORDS = [
  /^[A-Za-z]{1,15}$/,
  /^\d{1,12}$/,
  /^[A-Za-z]{0,8}\d{1,3}[a-z]{0,3}$/,
  /^\d{4}-\d\d-\d\d(-preview)?$/,
  /^\d{1,2}\.\d{1,2}$/,
  /^Microsoft\.[A-Za-z]{1,30}(\/[A-Za-z]{1,40})*$/,
  /^(Standard|Premium|StandardSSD|Basic)(_[A-Za-z0-9]{2,8}){1,2}$/,
  /^[a-z]{1,15}\/[a-z-]{1,15}$/,
  /^\/home\/[a-z]{1,15}\/\.ssh\/authorized_keys$/,
  /^bytes[= ]\d+-\d+(\/\d+)?$/,
];

/** Addresses of the program's own network, which is the same for everybody, and the whole internet. */
const OWN_NETWORK = /^(10\.0\.0\.\d+|0\.0\.0\.0)$/;

/** The parts of an URL's query whose values say nothing of anybody. */
const SHOWN = /^(api-version|comp|restype|include|\$expand)$/;
const LIST = /^[A-Za-z]{1,15}((,|%2C)[A-Za-z]{1,15}){0,5}$/;

function isWord(text: string): boolean {
  return KNOWN.has(text.toLowerCase()) || isRegion(text) || WORDS.some((word) => word.test(text));
}

const word = (text: string): Part => ({ kind: "word", text });
const closed = (text: string): Part => (text === "" ? word(text) : { kind: "opaque", text });

/**
 * Takes a text apart: URLs, resource ids and sentences piece by piece, all else as a whole. What is no word is closed: the
 * default is to tell nothing. A text in which placeholders stand is taken apart in the same places as the text before.
 * @param isClosed whatever it looks like, as a whole
 */
export function partsOf(text: string, isClosed = false): Part[] {
  if (isClosed) return [closed(text)];
  if (isWord(text)) return [word(text)];
  if (/^https?:\/\//i.test(text)) return urlParts(text);
  if (/^\/(subscriptions|providers)\//i.test(text)) return pathParts(text);
  return /\s/.test(text) ? sentenceParts(text) : atomParts(text);
}

function atomParts(text: string): Part[] {
  if (isWord(text)) return [word(text)];
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text))
    return [builtInRole(text) ? word(text) : { kind: "guid", text }];
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text)) return [{ kind: "date", text }];
  const [, address = "", length = ""] = /^([0-9a-f.:]+)(\/\d{1,3})?$/i.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return [closed(text)];
  const kind = version === 4 ? "ipv4" : "ipv6";
  return [OWN_NETWORK.test(address) ? word(address) : { kind, text: address }, word(length)];
}

function urlParts(text: string): Part[] {
  const [, scheme = "", host = "", port = "", path = "", query = "", fragment = ""] =
    /^(https?:\/\/)(\[[^\]]*\]|[^/:?#]*)(:\d+)?([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(text) ?? [];
  if (scheme === "") return [closed(text)];
  return [word(scheme), ...hostParts(host), word(port), ...pathParts(path), ...queryParts(query), closed(fragment)];
}

/** Labels of a name; an address, and a name that holds one, is one part. */
function hostParts(host: string): Part[] {
  if (isIP(host)) return atomParts(host);
  return /(\d+\.){3}\d+/.test(host) ? [closed(host)] : joined(host, ".", atomParts);
}

function pathParts(text: string): Part[] {
  return joined(text, "/", (segment) => atomParts(segment));
}

function queryParts(query: string): Part[] {
  if (query === "") return [];
  const pairs = joined(query.slice(1), "&", (pair) => {
    const [name = "", ...rest] = pair.split("=");
    const value = rest.join("=");
    const shownName = /^\$?[a-z][A-Za-z-]{0,20}$/.test(name) ? [word(name)] : [closed(name)];
    if (!SHOWN.test(name)) return [...shownName, word("="), closed(value)];
    return [...shownName, word("="), ...(LIST.test(value) ? [word(value)] : atomParts(value))];
  });
  return [word("?"), ...pairs];
}

/** Names in quotes and brackets, ends of sentences, `name="value"`. */
function sentenceParts(text: string): Part[] {
  return text.split(/([\s"'()<>[\],;=]+)/).flatMap((piece, index) => {
    if (index % 2 === 1) return [word(piece)];
    const [, inner = "", end = ""] = /^(.*?)([.:!?]*)$/.exec(piece) ?? [];
    return [...partsOf(inner), word(end)];
  });
}

function joined(text: string, separator: string, parts: (piece: string) => Part[]): Part[] {
  return text.split(separator).flatMap((piece, index) => [...(index === 0 ? [] : [word(separator)]), ...parts(piece)]);
}
