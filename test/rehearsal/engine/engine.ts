/** One thing that was done to a resource, or that a preview says will be. */
export interface Operation {
  /** `create`, `update`, `same`, `replace`, `create-replacement`, `delete-replaced`, `delete`, `refresh`. */
  op: string;
  urn: string;
  type: string;
  /** Paths of the inputs that differ. */
  changed: string[];
}

/** One run of an engine. */
export interface EngineRun {
  operations: Operation[];
  /** Everything that was printed. */
  log: string;
}

/** A run failed: what had been done until then is kept, and what was printed tells why. */
export class RunFailed extends Error {
  constructor(
    what: string,
    readonly run: EngineRun,
    cause: unknown,
  ) {
    super(`${what} failed:\n${run.log.slice(-4000)}`, { cause });
  }
}

/** One stack and what can be done with it: Pulumi's real engine, or ours in process. Failures are RunFailed. */
export interface Engine {
  readonly name: "in-process" | "pulumi";
  /** The CLI's version; of the in-process engine that of the Pulumi package. */
  readonly version: string;
  preview(): Promise<EngineRun>;
  /** A preview as `pulumi preview --json` prints it. */
  previewJson(): Promise<string>;
  up(): Promise<EngineRun>;
  refresh(): Promise<EngineRun>;
  destroy(): Promise<EngineRun>;
  /** The stack's outputs, secrets in clear. */
  outputs(): Promise<Record<string, unknown>>;
  /** The state, secrets decrypted. */
  exportState(): Promise<Buffer>;
  /** All of the stack's configuration from now on, with namespaces; objects are JSON. */
  setConfig(config: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

/** Operations on what exists somewhere: components, the stack and the engine's own providers are only names in its state. */
export function realOperations({ operations }: EngineRun): Operation[] {
  return operations.filter(({ type }) => !/^(sealed-onion|pulumi):/.test(type));
}

/** What a resource is called wherever it is: `vault-dev-westeurope-key` -> `vault-key`. */
export function roleOf(stack: string, name: string): string {
  return name.replace(new RegExp(`^(vault|image|front-end-image|network|system|vm)-${stack}-[a-z0-9]+(?=-|$)`), "$1");
}

function roleIn(urn: string): string {
  const [stack = "", , , name = ""] = urn.replace(/^urn:pulumi:/, "").split("::");
  return roleOf(stack, name);
}

/** What is not `same`, by operation and role of the resource, wherever it is: `update token-seal`. */
export function changesOf(run: EngineRun): string[] {
  const changes = realOperations(run).filter(({ op }) => op !== "same" && op !== "refresh");
  return changes.map(({ op, urn }) => `${op} ${roleIn(urn)}`).sort();
}
