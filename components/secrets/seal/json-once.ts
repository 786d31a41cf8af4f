/**
 * Parses JSON in which no key of an object is there twice, in whatever letters. Of two equal keys JavaScript takes the last
 * one and others the first one or both, and Go, which sops is written in, takes `Age` for `age`: what was checked would not
 * be what is opened.
 * @throws if it is no such JSON, or has keys of other characters than ASCII's
 * @see https://pkg.go.dev/encoding/json#Unmarshal
 */
export function parseOnce(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (keysWritten(text) !== keysOf(value)) throw new Error("a key is there twice");
  return value;
}

function keysOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const names = Array.isArray(value) ? [] : Object.keys(value);
  const isPlain = names.every((name) => /^[\x20-\x7e]*$/.test(name));
  const own = new Set(names.map((name) => name.toLowerCase())).size;
  if (!isPlain || own !== names.length) throw new Error("a key is there twice, or is not plain");
  return Object.values(value).reduce((sum: number, child) => sum + keysOf(child), own);
}

/** @param text known to be JSON: a text before a colon is a key. It may hold megabytes: no expression looks at those */
function keysWritten(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = endOfText(text, start);
    if (/^\s*:/.test(text.slice(end + 1, end + 100))) count += 1;
    start = text.indexOf('"', end + 1);
  }
  return count;
}

function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes += 1;
  return slashes % 2 === 1;
}
