/** What one look found. */
export interface Finding {
  readonly name: string;
  /** `warning`: `up` works, and something may be lost or surprise; `optional`: only some need it. */
  readonly state: "ok" | "missing" | "warning" | "optional";
  readonly found: string;
  /** What to type. */
  readonly type?: string;
}

const MARKS = { ok: "✓", missing: "✗", warning: "!", optional: "–" };

/** For people. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, state, found, type }) => [
    `${MARKS[state]} ${name.padEnd(width)}  ${found}`,
    ...(type ? [`  ${"".padEnd(width)}  type: ${type}`] : []),
  ]);
  const missing = findings.filter(({ state }) => state === "missing").length;
  return [...lines, "", missing === 0 ? "ready for pulumi up" : `${missing} missing: pulumi up would fail`].join("\n");
}
