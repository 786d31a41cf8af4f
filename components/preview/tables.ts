import type { Exposure } from "./exposure";
import type { PlannedChange } from "./plan";
import type { SecretChange } from "./secrets";

/** For a reader who sees such a comment for the first time. */
const MEANINGS = {
  "seal again": "*Seal again*: its source is read, and what that holds is encrypted again.",
  "re-wrap": "*Re-wrap*: its content stays, and is opened by other keys than before.",
} as const satisfies Partial<Record<SecretChange["action"], string>>;

/** Each secret that something happens to. */
export function secretTable(secrets: SecretChange[]): string[] {
  if (secrets.length === 0) return [];
  const rows = secrets.map(({ name, action, why }) => `| \`${name}\` | ${action} | ${why} |`);
  const legend = Object.entries(MEANINGS).flatMap(([action, meaning]) =>
    secrets.some((secret) => secret.action === action) ? [meaning] : [],
  );
  const lines = ["| secret | `pulumi up` will | because |", "| --- | --- | --- |", ...rows, ""];
  return legend.length === 0 ? lines : [...lines, legend.join(" "), ""];
}

const shownValue = (value: string | undefined) => (value === undefined ? "—" : value.replaceAll("|", "\\|"));

/** Addresses, keys, rights, logins and ports: what a reviewer agrees to. */
export function exposureTable(rows: Exposure[], isHidden: boolean): string[] {
  const hidden =
    "**Known only after `pulumi up`:** addresses, key, ports, logins and places of secrets, as the vault's key or an address is yet to be made.";
  const note = isHidden ? [hidden, ""] : [];
  if (rows.length === 0)
    return isHidden ? note : ["Addresses, vault and key, rights, logins and ports stay as they are.", ""];
  const lines = rows.map(({ what, before, after }) => `| ${what} | ${shownValue(before)} | ${shownValue(after)} |`);
  return ["| who reaches what | before | after |", "| --- | --- | --- |", ...lines, "", ...note];
}

/** Every resource that changes, folded away. */
export function detailTable(changes: PlannedChange[]): string[] {
  const real = changes.filter(
    ({ kind, component, type }) =>
      kind !== "same" && !type.startsWith("pulumi:") && !(component === "" && type.startsWith("sealed-onion:")),
  );
  if (real.length === 0) return [];
  const sorted = real.sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
  const rows = sorted.map(({ kind, name, type, changed }) => {
    const inputs = kind === "update" || kind === "replace" ? changed.map((path) => `\`${path}\``).join(" ") : "";
    return `| ${kind} | \`${name}\` | ${type.split(":").at(-1)} | ${inputs} |`;
  });
  return [
    "<details>",
    `<summary>${real.length} resource${real.length === 1 ? "" : "s"}</summary>`,
    "",
    "| | resource | type | inputs |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    "</details>",
    "",
  ];
}
