import * as fs from "node:fs";

export interface BenchResult {
  readonly name: string;
  /** Its exit code. */
  readonly code: number;
  /** What it printed last with `--json`. */
  readonly figures: Readonly<Record<string, unknown>> | undefined;
}

/** The benches: each has a line in the README. Programs and pieces of theirs lie beside them. */
const PIECES = ["bench", "median", "preview-once", "results"];

export function benchNames(folder = "test/bench"): string[] {
  const files = fs.readdirSync(folder).filter((file) => file.endsWith(".ts"));
  return files.map((file) => file.slice(0, -".ts".length)).filter((name) => !PIECES.includes(name));
}

/** All results as a Markdown document. */
export function resultsTable(machine: Readonly<Record<string, string>>, results: readonly BenchResult[]): string {
  const about = Object.entries(machine).map(([what, value]) => `${what}: ${value}`);
  const rows = results.flatMap(({ name, code, figures }) =>
    figures === undefined
      ? [`| ${name} | | ${code === 0 ? "printed no figures" : `failed, exit code ${code}`} |`]
      : Object.entries(figures).map(([figure, value]) => `| ${name} | ${figure} | ${shown(value)} |`),
  );
  return ["# Benches", "", about.join("; "), "", "| bench | figure | value |", "| --- | --- | --- |", ...rows, ""].join(
    "\n",
  );
}

function shown(value: unknown): string {
  return typeof value === "number" ? `${Number(value.toPrecision(4))}` : JSON.stringify(value);
}
