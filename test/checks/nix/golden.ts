import * as fs from "node:fs";
import * as path from "node:path";
import { readIfThere } from "../../../components/process/read-if-there";

/** Where the golden files lie. */
export const GOLDEN_FOLDER = "nix/eval/golden";

/**
 * The text of a golden file: indented JSON, keys in Nix's order. Store paths differ with every nixpkgs, so a program is
 * left with its name alone, and any other file with the name it has in the store.
 */
export function goldenText(value: unknown): string {
  const text = JSON.stringify(value, null, 2)
    .replaceAll(/\/nix\/store\/[0-9a-z]{32}-[^/" ]+\/bin\//g, "")
    .replaceAll(/\/nix\/store\/[0-9a-z]{32}-/g, "");
  return `${text}\n`;
}

/** The names of the golden files whose text is not that of the evaluation. */
export function differences(golden: Readonly<Record<string, unknown>>, folder = GOLDEN_FOLDER): string[] {
  const differs = ([name, value]: [string, unknown]) =>
    readIfThere(path.join(folder, `${name}.json`))?.toString() !== goldenText(value);
  return Object.entries(golden)
    .filter(differs)
    .map(([name]) => path.join(folder, `${name}.json`));
}

/** Writes the golden files again, after a change that was meant. */
export function writeGolden(golden: Readonly<Record<string, unknown>>, folder = GOLDEN_FOLDER): void {
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(golden)) {
    fs.writeFileSync(path.join(folder, `${name}.json`), goldenText(value));
  }
}
