import * as fs from "node:fs";
import * as path from "node:path";

/** A derivation's environment: what its builder gets. */
export type Derivation = Readonly<Record<string, string>>;

/**
 * Finds the derivations of a store by the path of their output.
 * @param folder the store's own folder, where the `.drv` files are
 * @see https://nix.dev/manual/nix/2.26/protocols/derivation-aterm
 */
export function readDerivations(folder: string): (output: string) => Derivation | undefined {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(".drv"));
  const texts = files.map((name) => fs.readFileSync(path.join(folder, name), "utf8"));
  const byOutput = new Map(texts.map((text) => [/^Derive\(\[.*?\("out","([^"]+)"/.exec(text)?.[1], text]));
  return (output) => {
    const text = byOutput.get(output);
    return text === undefined ? undefined : parseDerivation(text);
  };
}

/** `Derive([…],…)` is JSON but for its round brackets; its strings have JSON's escapes. */
export function parseDerivation(text: string): Derivation {
  const json = text
    .replace(/^Derive/, "")
    .replaceAll(/("(?:[^"\\]|\\.)*")|[()]/gs, (token, quoted) => quoted ?? (token === "(" ? "[" : "]"));
  const environment = Object.fromEntries(JSON.parse(json).at(-1)) as Record<string, string>;
  return environment.__json === undefined ? environment : { ...environment, ...JSON.parse(environment.__json) };
}
