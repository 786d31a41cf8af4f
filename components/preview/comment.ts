import { type CostChange, costChanges } from "./costs";
import { dataDiskAlarms } from "./data-disk";
import { exposures, factsUnknown } from "./exposure";
import { type MachineChange, machineChange } from "./machine";
import type { Plan, PlannedChange } from "./plan";
import { filesUnknown, type SecretChange, secretChanges } from "./secrets";
import { detailTable, exposureTable, secretTable } from "./tables";

/** The first line of the comment: among those of its author, it is found again by it to be edited in place. */
export const MARK = "<!-- sealed-onion preview -->";

/** Of which commit a preview was made, and where its log is. */
export interface Origin {
  /** 40 hex digits. */
  readonly commit?: string | undefined;
  /** https://… */
  readonly run?: string | undefined;
}

const WORDS = {
  new: "new",
  "seal again": "sealed again",
  "re-wrap": "re-wrapped",
  "other file": "another file than deployed",
  renamed: "renamed",
  removed: "removed",
} as const satisfies Record<SecretChange["action"], string>;

function secretWords(secrets: SecretChange[]): string {
  const words = Object.entries(WORDS).flatMap(([action, word]) => {
    const number = secrets.filter((secret) => secret.action === action).length;
    return number === 0 ? [] : [`${number} ${word}`];
  });
  return words.length === 0 ? "Secrets stay as they are" : `Secrets: ${words.join(", ")}`;
}

function headline(changes: PlannedChange[], secrets: SecretChange[], { service }: MachineChange): string {
  if (changes.every(({ kind }) => kind === "same")) return "**Nothing changes.** `pulumi up` would run no command.";
  return `**${secretWords(secrets)}. The service ${service}.**`;
}

function dollars(value: number | undefined): string {
  return value === undefined ? "?" : `${value}`;
}

function costWords(costs: CostChange[]): string {
  if (costs.length === 0) return "**Costs:** no dial that costs is turned.";
  const known = costs.every(({ before, after }) => before !== undefined && after !== undefined);
  const sum = costs.reduce((total, { before = 0, after = 0 }) => total + after - before, 0);
  const parts = costs.map(({ what, before, after }) => `${what}: ${dollars(before)} → ${dollars(after)}`);
  const rounded = Math.round(Math.abs(sum) * 10) / 10;
  const total = known ? `about ${sum < 0 ? "−" : "+"}${rounded} USD a month` : "not all in our table (?)";
  return `**Costs:** ${total} (${parts.join("; ")}).`;
}

function counts(changes: PlannedChange[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { kind } of changes) found[kind] = (found[kind] ?? 0) + 1;
  return found;
}

/** What opens everything that is sealed, if it goes. */
function dangers(changes: PlannedChange[]): string[] {
  const kept = ["azure-native:keyvault:Key", "azure-native:keyvault:Vault", "azure-native:resources:ResourceGroup"];
  const going = changes.filter(({ type, kind }) => kept.includes(type) && (kind === "delete" || kind === "replace"));
  return going.map(
    ({ name, kind }) =>
      `\`${name}\` is ${kind}d: what only it opens, in git or in an older commit, cannot be opened after that`,
  );
}

/** GitHub takes 65,536 characters: what matters comes before this. */
const LONGEST = 40_000;

function fitting(lines: string[]): string[] {
  return lines.join("\n").length <= LONGEST ? lines : ["The list of resources is too long for a comment.", ""];
}

function originLine({ commit, run }: Origin): string[] {
  const parts = [...(commit ? [`Commit ${commit}`] : []), ...(run ? [`[this run](${run})`] : [])];
  return parts.length === 0 ? [] : [`${parts.join(", ")}.`, ""];
}

function alarmLines(alarms: string[]): string[] {
  const lines = alarms.map((alarm) => `> ⚠️ ${alarm.replaceAll("\n", " ")}`);
  return lines.length > 0 ? [...lines, ""] : [];
}

/** A comment for a preview that failed: what it planned until then is no plan. */
export function failedComment(stack: string, errors: readonly string[], origin: Origin = {}): string {
  const lines = [
    MARK,
    stack === "" ? "### ❌ The preview failed" : `### ❌ The preview of stack \`${stack}\` failed`,
    "",
    ...originLine(origin),
    "**Nothing is known of what `pulumi up` would do.**",
    "",
    ...errors.flatMap((error) => [...error.split("\n").map((line) => `    ${line}`), ""]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/**
 * What a reviewer needs to know of a plan, as one Markdown comment: who reaches what, before and after; which secrets
 * change and how, which image, whether the VM is replaced and how long the service is away, what the change costs.
 */
export function previewComment(plan: Plan, origin: Origin = {}): string {
  const { stack, changes, unchanged, warnings, errors } = plan;
  if (errors.length > 0) return failedComment(stack, errors, origin);
  const secrets = secretChanges(changes);
  const machine = machineChange(changes);
  const alarms = [
    ...dangers(changes),
    ...dataDiskAlarms(changes),
    ...secrets.flatMap(({ warning }) => warning ?? []),
    ...warnings,
  ];
  const { create = 0, update = 0, replace = 0, delete: gone = 0 } = counts(changes);
  const lines = [
    MARK,
    `### Preview of stack \`${stack}\``,
    "",
    ...originLine(origin),
    headline(changes, secrets, machine),
    "",
    ...alarmLines(alarms),
    ...exposureTable(exposures(changes), factsUnknown(changes)),
    ...secretTable(secrets),
    ...(filesUnknown(changes) ? ["Whether other sealed files were swapped shows once these are sealed.", ""] : []),
    ...(machine.system === undefined ? [] : [`**System:** ${machine.system}.  `]),
    `**Image:** ${machine.image}.  `,
    `**VM:** ${machine.machine}.  `,
    costWords(costChanges(changes)),
    "",
    ...fitting(detailTable(changes)),
    `${create} to create, ${update} to update, ${replace} to replace, ${gone} to delete, ${unchanged} unchanged.`,
  ];
  return `${lines.join("\n")}\n`;
}
