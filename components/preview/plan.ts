/** Inputs of a resource, as a plan shows them: secrets are masked, unknowns are a well-known string. */
export type Inputs = Readonly<Record<string, unknown>>;

/** What an update will do to one resource. */
export interface PlannedChange {
  /** Pulumi's name: `token-seal`. */
  name: string;
  /** `command:local:Command`. */
  type: string;
  /** Type of the component that it is part of; empty for others. */
  component: string;
  kind: "create" | "delete" | "replace" | "same" | "update";
  old: Inputs;
  next: Inputs;
  /** Paths of the inputs that differ. */
  changed: string[];
}

export interface Plan {
  stack: string;
  changes: PlannedChange[];
  /** Resources that stay as they are. */
  unchanged: number;
  /** What the program or a provider warns of. */
  warnings: string[];
  /** Why the plan is none: what it says is then a part, at most. */
  errors: string[];
}

interface PlannedStep {
  op: string;
  urn: string;
  oldState?: { inputs?: Inputs };
  newState?: { inputs?: Inputs };
  detailedDiff?: Record<string, unknown> | null;
  diffReasons?: string[] | null;
}

interface PreviewOutput {
  steps?: PlannedStep[];
  diagnostics?: { severity: string; message: string }[];
  changeSummary?: Record<string, number>;
}

/** What stands for a value that only the update will know. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isUnknown(value: unknown): boolean {
  return value === UNKNOWN;
}

function kindOf(op: string): PlannedChange["kind"] | undefined {
  if (op === "create" || op === "update" || op === "delete" || op === "same" || op === "replace") return op;
  return op === "create-replacement" || op === "delete-replaced" ? "replace" : undefined;
}

function changeOf(step: PlannedStep, kind: PlannedChange["kind"]): PlannedChange {
  const [, , types = "", ...name] = step.urn.split("::");
  const chain = types.split("$");
  const detailed = Object.keys(step.detailedDiff ?? {});
  return {
    name: name.join("::"),
    type: chain.at(-1) ?? "",
    component: chain.at(-2) ?? "",
    kind,
    old: step.oldState?.inputs ?? {},
    next: step.newState?.inputs ?? {},
    changed: detailed.length > 0 ? detailed : (step.diffReasons ?? []),
  };
}

/** A replacement is listed as up to three steps: the one that has both sides counts. */
function merged(changes: Map<string, PlannedChange>, urn: string, change: PlannedChange): void {
  const known = changes.get(urn);
  if (known === undefined || (Object.keys(known.next).length === 0 && Object.keys(change.next).length > 0))
    changes.set(urn, change);
}

/** The output starts where JSON does: Pulumi prints its own warnings before it. */
function parse(text: string): PreviewOutput {
  try {
    return JSON.parse(text.slice(Math.max(0, text.indexOf("{"))));
  } catch (error) {
    throw new Error("this is not the output of pulumi preview --json: it is no JSON", { cause: error });
  }
}

/** Reads the output of `pulumi preview --json`. @throws where it is something else */
export function readPlan(text: string): Plan {
  const { steps, diagnostics = [], changeSummary = {} } = parse(text);
  if (steps === undefined) throw new Error("this is not the output of pulumi preview --json: it has no steps");
  const changes = new Map<string, PlannedChange>();
  for (const step of steps) {
    const kind = kindOf(step.op);
    if (kind !== undefined) merged(changes, step.urn, changeOf(step, kind));
  }
  const { same: unchanged = 0 } = changeSummary;
  return {
    stack: steps[0]?.urn.split(":")[2] ?? "",
    changes: [...changes.values()],
    unchanged,
    warnings: textsOf("warning", diagnostics),
    errors: textsOf("error", diagnostics),
  };
}

/** That a plugin was found on PATH is the engine's own affair. */
function textsOf(kind: "error" | "warning", diagnostics: readonly { severity: string; message: string }[]): string[] {
  const texts = diagnostics
    .filter(({ severity }) => severity === kind)
    .map(({ message }) => message.replace(/^(error|warning): /, "").trim());
  return [...new Set(texts)].filter((text) => text !== "" && !text.startsWith("using pulumi-resource-"));
}

/** Enough of a public key to know it by: its kind and its end. */
export function shortKey(key: string): string {
  const [kind, body] = key.split(" ");
  if (body !== undefined) return `${kind} …${body.slice(-12)}`;
  return key.length <= 24 ? key : `${key.slice(0, 8)}…${key.slice(-12)}`;
}

/** A text among the inputs; undefined where it is something else, or not known yet. */
export function textIn(inputs: Inputs, ...path: string[]): string | undefined {
  const found = path.reduce<unknown>(
    (value, part) => (typeof value === "object" && value !== null ? (value as Inputs)[part] : undefined),
    inputs,
  );
  return typeof found === "string" && !isUnknown(found) ? found : undefined;
}
