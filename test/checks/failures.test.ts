import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { failureRemedies } from "./failure-remedies";

/** The first message of each row: what a person searches for. */
function rowsOf(document: string): string[] {
  const rows = document.split("\n").filter((line) => /^\| `/.test(line));
  return rows.map((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? "");
}

const rows = rowsOf(fs.readFileSync("components/doctor/failures.md", "utf8"));
const listed = new Map(failureRemedies.map(([row, file, title]) => [row, { file, title: title ?? row }]));

describe("a row of failures.md", () => {
  it("is there for each failure that is known, once", () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(new Set(rows).size).toBe(rows.length);
    expect([...listed.keys()].filter((row) => !rows.includes(row))).toEqual([]);
  });

  it.each(rows)("has its remedy carried out, by a test that is there: %s", (row) => {
    const found = listed.get(row);
    if (found === undefined)
      throw new Error("no test carries out its remedy: write one, and name it in failure-remedies.ts");
    expect(fs.readFileSync(found.file, "utf8")).toContain(found.title);
  });
});
