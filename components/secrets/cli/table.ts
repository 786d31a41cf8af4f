import type { SecretView } from "./list";

/**
 * The views for people, and under them why secrets do not open: a line a secret, or some lines where these do not fit.
 * @param columns of the terminal, @default no limit
 */
export function tableText(views: readonly SecretView[], columns = Number.POSITIVE_INFINITY): string {
  if (views.length === 0) return "no secrets";
  const stacks = new Set(views.map(({ stack }) => stack));
  const header = ["NAME", "SOURCE", "STATE", "FOR", "KEY", "SEALED", "SOURCE IS", "OPENS"];
  const rows = [header, ...views.map((view) => row(view, stacks.size > 1))];
  const widths = header.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const fits = lines.every((line) => line.length <= columns);
  const shown = fits ? lines : views.flatMap((view) => block(view, stacks.size > 1));
  return [...shown, ...reasons(views)].join("\n");
}

/** One secret for a narrow terminal. */
function block(view: SecretView, withStack: boolean): string[] {
  const [name, source, state, recipient, key, sealed, sourceIs, opens] = row(view, withStack);
  const states = [state, opens && (opens === "yes" ? "opens" : "does not open"), `source is ${sourceIs}`];
  const sealedFor = [recipient && `for ${recipient}`, key && `key ${key}`, sealed && `sealed ${sealed}`];
  const lines = [source, view.hostname, sealedFor.filter(Boolean).join(", ")];
  return [`${name}: ${states.filter(Boolean).join(", ")}`, ...lines.filter(Boolean).map((line) => `  ${line}`)];
}

function row(view: SecretView, withStack: boolean): string[] {
  return [
    withStack ? `${view.stack}/${view.name}` : view.name,
    view.source,
    view.state,
    recipients(view),
    keyVersion(view),
    view.sealedAt?.slice(0, 16).replace("T", " ") ?? "",
    view.sourceIs,
    view.opens === undefined ? "" : view.opens ? "yes" : "no",
  ];
}

function recipients({ recipients: { vault, age, pgp } }: SecretView): string {
  if (vault && age.length + pgp.length === 0) return "vault only";
  const parts = [vault && "vault", age.length > 0 && `${age.length} age`, pgp.length > 0 && `${pgp.length} pgp`];
  return parts.filter((part) => part !== false).join(", ");
}

/** The beginning of the key's version; an older one than the stack's is marked. */
function keyVersion({ keyUrl, currentKey }: SecretView): string {
  if (keyUrl === undefined) return "";
  return `${keyUrl.slice(keyUrl.lastIndexOf("/") + 1).slice(0, 8)}${currentKey ? "" : " (old)"}`;
}

/** One line a reason: many secrets do not open for the same one. */
function reasons(views: readonly SecretView[]): string[] {
  const names = new Map<string, string[]>();
  for (const { name, reason } of views) {
    if (reason !== undefined) names.set(reason, [...(names.get(reason) ?? []), name]);
  }
  return [...names].map(([reason, of]) => `\n${of.join(", ")}: ${reason}`);
}
