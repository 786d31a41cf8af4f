import { type CostChange, costChanges } from "./costs";
import { type MachineChange, machineChange } from "./machine";
import type { Plan, PlannedChange } from "./plan";
import { type SecretChange, secretChanges } from "./secrets";

/** The first line of the comment, by which it is found again to be edited in place. */
export const MARK = "<!-- sealed-onion preview -->";

const TOLD = {
  new: "new",
  "seal again": "sealed again",
  "re-wrap": "re-wrapped",
  renamed: "renamed",
  removed: "removed",
} as const satisfies Record<SecretChange["action"], string>;

/** For whoever reads such a comment for the first time. */
const MEANINGS = {
  "seal again": "*Seal again*: its source is read, and what that holds is encrypted anew.",
  "re-wrap": "*Re-wrap*: its content stays, and is opened by other keys than before.",
} as const satisfies Partial<Record<SecretChange["action"], string>>;

function secretWords(secrets: SecretChange[]): string {
  const words = Object.entries(TOLD).flatMap(([action, told]) => {
    const number = secrets.filter((secret) => secret.action === action).length;
    return number === 0 ? [] : [`${number} ${told}`];
  });
  return words.length === 0 ? "Secrets stay as they are" : `Secrets: ${words.join(", ")}`;
}

function headline(changes: PlannedChange[], secrets: SecretChange[], { service }: MachineChange): string {
  if (changes.every(({ kind }) => kind === "same")) return "**Nothing changes.** `pulumi up` would run no command.";
  return `**${secretWords(secrets)}. The service ${service}.**`;
}

function secretTable(secrets: SecretChange[]): string[] {
  if (secrets.length === 0) return [];
  const rows = secrets.map(({ name, action, why }) => `| \`${name}\` | ${action} | ${why} |`);
  const legend = Object.entries(MEANINGS).flatMap(([action, meaning]) =>
    secrets.some((secret) => secret.action === action) ? [meaning] : [],
  );
  const lines = ["| secret | `pulumi up` will | because |", "| --- | --- | --- |", ...rows, ""];
  return legend.length === 0 ? lines : [...lines, legend.join(" "), ""];
}

function dollars(value: number | undefined): string {
  return value === undefined ? "?" : `${value}`;
}

function costWords(costs: CostChange[]): string {
  if (costs.length === 0) return "**Costs:** no dial that costs is turned.";
  const known = costs.every(({ before, after }) => before !== undefined && after !== undefined);
  const sum = costs.reduce((total, { before = 0, after = 0 }) => total + after - before, 0);
  const parts = costs.map(({ what, before, after }) => `${what}: ${dollars(before)} → ${dollars(after)}`);
  const total = known ? `about ${sum < 0 ? "−" : "+"}${Math.abs(sum)} USD a month` : "not all in our table (?)";
  return `**Costs:** ${total} (${parts.join("; ")}).`;
}

function detailTable(changes: PlannedChange[]): string[] {
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

function counts(changes: PlannedChange[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { kind } of changes) found[kind] = (found[kind] ?? 0) + 1;
  return found;
}

/** What keeps every secret from being opened again, if it goes. */
function dangers(changes: PlannedChange[]): string[] {
  const kept = ["azure-native:keyvault:Key", "azure-native:keyvault:Vault"];
  const going = changes.filter(({ type, kind }) => kept.includes(type) && (kind === "delete" || kind === "replace"));
  return going.map(
    ({ name, kind }) =>
      `\`${name}\` is ${kind === "delete" ? "deleted" : "replaced"}: what it sealed has to be opened before`,
  );
}

/**
 * What a reviewer needs to know of a plan, as one Markdown comment: which secrets change and how, which image, whether
 * the VM is replaced and how long the service is away, what the change costs. Values of inputs are not shown, but for
 * names of secrets, sizes and generations.
 */
export function previewComment(plan: Plan): string {
  const { stack, changes, unchanged, warnings } = plan;
  const secrets = secretChanges(changes);
  const machine = machineChange(changes);
  const alarms = [...dangers(changes), ...secrets.flatMap(({ warning }) => warning ?? []), ...warnings];
  const { create = 0, update = 0, replace = 0, delete: gone = 0 } = counts(changes);
  const lines = [
    MARK,
    `### Preview of stack \`${stack}\``,
    "",
    headline(changes, secrets, machine),
    "",
    ...alarms.map((alarm) => `> ⚠️ ${alarm.replaceAll("\n", " ")}`),
    ...(alarms.length > 0 ? [""] : []),
    ...secretTable(secrets),
    `**Image:** ${machine.image}.  `,
    `**VM:** ${machine.machine}.  `,
    costWords(costChanges(changes)),
    "",
    ...detailTable(changes),
    `${create} to create, ${update} to update, ${replace} to replace, ${gone} to delete, ${unchanged} unchanged.`,
  ];
  return `${lines.join("\n")}\n`;
}
