/**
 * Parses JSON in which no key of an object is there twice. Of two equal keys JavaScript takes the last one and others
 * the first one or both: what was checked would not be what is opened.
 * @throws if it is no such JSON
 */
export function parseOnce(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (keysWritten(text) !== keysOf(value)) throw new Error("a key is there twice");
  return value;
}

function keysOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
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
