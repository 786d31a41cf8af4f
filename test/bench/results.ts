import * as fs from "node:fs";
import { judged } from "./bars";

export interface BenchResult {
  readonly name: string;
  /** Its exit code. */
  readonly code: number;
  /** What it printed last with `--json`. */
  readonly figures: Readonly<Record<string, unknown>> | undefined;
}

/** The benches: each has a line in the README. Programs and pieces of theirs lie beside them. */
const PIECES = [
  ...[
    "bars",
    "bench",
    "booted-bench",
    "median",
    "preview-config",
    "preview-once",
    "replaced-machines",
    "results",
    "unchanged-up",
  ],
];

export function benchNames(folder = "test/bench"): string[] {
  const files = fs.readdirSync(folder).filter((file) => file.endsWith(".ts"));
  return files.map((file) => file.slice(0, -".ts".length)).filter((name) => !PIECES.includes(name));
}

/** All results as a Markdown document. */
export function resultsTable(machine: Readonly<Record<string, string>>, results: readonly BenchResult[]): string {
  const about = Object.entries(machine).map(([what, value]) => `${what}: ${value}`);
  const rows = results.flatMap(({ name, code, figures }) =>
    figures === undefined
      ? [`| ${name} | | ${code === 0 ? "printed no figures" : `failed, exit code ${code}`} | |`]
      : flat(figures).map(
          ([figure, value]) => `| ${name} | ${figure} | ${shown(value)} | ${judged(name, figure, value)} |`,
        ),
  );
  const head = ["# Benches", "", about.join("; "), "", "| bench | figure | value | bar |", "| --- | --- | --- | --- |"];
  return [...head, ...rows, ""].join("\n");
}

/** Figures of figures have their names one after the other: `images.ext4.seconds`. */
function flat(figures: Readonly<Record<string, unknown>>, before = ""): [string, unknown][] {
  return Object.entries(figures).flatMap(([name, value]): [string, unknown][] =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flat(value as Record<string, unknown>, `${before}${name}.`)
      : [[`${before}${name}`, value]],
  );
}

function shown(value: unknown): string {
  return typeof value === "number" ? `${Number(value.toPrecision(4))}` : JSON.stringify(value);
}
