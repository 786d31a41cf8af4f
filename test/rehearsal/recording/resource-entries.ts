import type { ResourceEntry } from "./entries";
import type { Json, Redaction } from "./redaction";

/** A resource in an engine's state, as `pulumi stack export --show-secrets` prints it. */
interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  /** When Azure had made it, and when it had changed it last: ISO 8601. */
  readonly created?: string;
  readonly modified?: string;
  readonly inputs?: { readonly [name: string]: Json };
  readonly outputs?: { readonly [name: string]: Json };
}

const PACKAGE = "azure-native:";
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** @returns of a state what is new in it since the last one that was read: what was asked of Azure, what it answered */
export function createResourceReader(redaction: Redaction): (state: Buffer) => ResourceEntry[] {
  const known = new Map<string, string>();
  return (state) =>
    resourcesIn(state).flatMap((resource) => {
      const { urn, type, id = "", inputs = {}, outputs = {}, created, modified } = resource;
      const now = JSON.stringify([id, inputs, outputs]);
      const before = known.get(urn);
      if (!type.startsWith(PACKAGE) || before === now) return [];
      known.set(urn, now);
      const isSame = before !== undefined && JSON.parse(before)[0] === id;
      return {
        kind: "resource" as const,
        at: Date.parse((isSame ? modified : created) ?? ""),
        operation: isSame ? ("update" as const) : ("create" as const),
        type,
        id: redaction.text(id),
        inputs: redacted(inputs, redaction),
        outputs: redacted(outputs, redaction),
      };
    });
}

/** The in-process engine's own form, and Pulumi's. */
function resourcesIn(state: Buffer): readonly StateResource[] {
  const { resources, deployment } = JSON.parse(state.toString("utf8")) as {
    resources?: StateResource[];
    deployment?: { resources?: StateResource[] };
  };
  return resources ?? deployment?.resources ?? [];
}

function redacted(values: { readonly [name: string]: Json }, redaction: Redaction): { readonly [name: string]: Json } {
  return redaction.json(revealed(values)) as { readonly [name: string]: Json };
}

/** Values that Pulumi keeps as secrets are wrapped in its state. */
function revealed(value: Json): Json {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  const wrapped = value as { readonly [name: string]: Json };
  if (SIGNATURE in wrapped)
    return revealed(typeof wrapped.plaintext === "string" ? JSON.parse(wrapped.plaintext) : (wrapped.value ?? null));
  return Object.fromEntries(Object.entries(wrapped).map(([name, member]) => [name, revealed(member)]));
}
