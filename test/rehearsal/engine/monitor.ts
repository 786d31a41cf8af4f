import type { ResourceProvider } from "loopback-azure/provider/provider";
import { containsUnknown, type PropertyMap, UNKNOWN } from "loopback-azure/provider/values";
import type { Deployment } from "./deployment";
import type { ResourceGoal } from "./resource-goal";
import { nameOf, qualifiedTypeOf, type ResourceState, urnOf } from "./state";

/** The messages that Pulumi's runtime sends to a resource monitor, as far as they are read here (resource.proto). */
interface StructMessage {
  toJavaScript(): PropertyMap;
}

interface AliasMessage {
  getUrn(): string;
  hasSpec(): boolean;
  getSpec(): { getName(): string; getType(): string; getParenturn(): string; getNoparent(): boolean } | undefined;
}

interface RegisterMessage {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getObject(): StructMessage | undefined;
  getProtect(): boolean;
  getDependenciesList(): string[];
  getAliasesList(): AliasMessage[];
  getDeletebeforereplace(): boolean;
  getDeletebeforereplacedefined(): boolean;
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getAdditionalsecretoutputsList(): string[];
  getRetainondelete(): boolean;
  getDeletedwith(): string;
}

interface InvokeMessage {
  getTok(): string;
  getArgs(): StructMessage | undefined;
}

interface OutputsMessage {
  getUrn(): string;
  getOutputs(): StructMessage | undefined;
}

type Callback = (error: Error | null, response?: unknown) => void;

function struct(values: PropertyMap): StructMessage {
  return { toJavaScript: () => values };
}

/** Every URN that a resource may have had: its own aliases, and those that come of its parent's. */
function aliasesOf(message: RegisterMessage, stack: string, project: string, parents: readonly string[]): string[] {
  const [type, name] = [message.getType(), message.getName()];
  const parentName = nameOf(message.getParent());
  const own = message.getAliasesList().flatMap((alias): string[] => {
    const spec = alias.hasSpec() ? alias.getSpec() : undefined;
    if (spec === undefined) return [alias.getUrn()];
    const parent = spec.getNoparent() ? "" : spec.getParenturn() || message.getParent();
    return [urnOf(stack, project, parent, spec.getType() || type, spec.getName() || name)];
  });
  const names = [name, ...own.map(nameOf)];
  const inherited = parents.flatMap((parent) =>
    names.map((known) => {
      const rest = known.startsWith(parentName) ? nameOf(parent) + known.slice(parentName.length) : known;
      return urnOf(stack, project, parent, type, rest);
    }),
  );
  return [...new Set([...own, ...inherited])];
}

function response(state: ResourceState, preview: boolean) {
  const outputs = state.custom ? state.outputs : state.inputs;
  const id = state.id === "" && state.custom && preview ? UNKNOWN : state.id;
  return {
    getUrn: () => state.urn,
    // an id that only the update will know is no id yet
    getId: () => (id === UNKNOWN ? "" : id),
    getObject: () => struct(outputs),
    getPropertydependenciesMap: () => new Map(),
    getResult: () => 0,
    getUnknown: () => false,
  };
}

export interface MonitorOptions {
  stack: string;
  project: string;
  preview: boolean;
  deployment: Deployment;
  providers: readonly ResourceProvider[];
  /** A registration or call failed: the program gets no answer any more, as under the real engine. */
  onError: (error: Error) => void;
}

/** What stands in for the engine's resource monitor: Pulumi's runtime calls it as it calls a gRPC client. */
export function createMonitor(options: MonitorOptions) {
  const { deployment, stack, project, preview } = options;
  const aliases = new Map<string, string[]>();
  const pending = new Set<Promise<void>>();
  let isOver = false;

  /** An error is told once; after it, nothing is answered. */
  function answer(work: () => Promise<unknown>, callback: Callback): void {
    if (isOver) return;
    const running = work().then(
      (value) => {
        if (!isOver) callback(null, value);
      },
      (error: Error) => {
        isOver = true;
        options.onError(error);
      },
    );
    pending.add(running);
    void running.finally(() => pending.delete(running));
  }

  function goalOf(message: RegisterMessage): ResourceGoal {
    const urn = urnOf(stack, project, message.getParent(), message.getType(), message.getName());
    const others = aliasesOf(message, stack, project, aliases.get(message.getParent()) ?? []);
    aliases.set(urn, others);
    return {
      urn,
      type: message.getType(),
      name: message.getName(),
      custom: message.getCustom(),
      parent: message.getParent(),
      inputs: message.getObject()?.toJavaScript() ?? {},
      dependencies: message.getDependenciesList(),
      aliases: others,
      protect: message.getProtect(),
      retainOnDelete: message.getRetainondelete() ?? false,
      deletedWith: message.getDeletedwith(),
      deleteBeforeReplace: message.getDeletebeforereplacedefined() ? message.getDeletebeforereplace() : undefined,
      replaceOnChanges: message.getReplaceonchangesList(),
      ignoreChanges: message.getIgnorechangesList(),
      additionalSecretOutputs: message.getAdditionalsecretoutputsList(),
    };
  }

  async function register(message: RegisterMessage): Promise<unknown> {
    const goal = goalOf(message);
    try {
      return response(await deployment.register(goal), preview);
    } catch (error) {
      throw new Error(`${qualifiedTypeOf(goal.urn).split("$").at(-1)} (${goal.name}): ${(error as Error).message}`);
    }
  }

  async function invoke(message: InvokeMessage): Promise<unknown> {
    const token = message.getTok();
    const provider = options.providers.find((candidate) => candidate.package === token.split(":")[0]);
    if (provider === undefined) throw new Error(`${token}: no provider for it in this rehearsal`);
    const args = message.getArgs()?.toJavaScript() ?? {};
    const result = containsUnknown(args) ? {} : await provider.invoke(token, args);
    return { getReturn: () => struct(result), getFailuresList: () => [] };
  }

  return {
    /** Ends when nothing is under way any more. */
    async settled(): Promise<void> {
      while (pending.size > 0) await Promise.all(pending);
    },
    /** Stops answering. */
    end(): void {
      isOver = true;
    },
    client: {
      registerResource: (message: RegisterMessage, callback: Callback) => answer(() => register(message), callback),
      // A program may go on without what it asked for.
      invoke: (message: InvokeMessage, callback: Callback) =>
        answer(
          () => invoke(message).catch((error: Error) => error),
          (_, answered) => {
            // As gRPC's errors have it.
            if (answered instanceof Error) callback(Object.assign(answered, { details: answered.message }));
            else callback(null, answered);
          },
        ),
      registerResourceOutputs(message: OutputsMessage, callback: Callback) {
        const outputs = message.getOutputs()?.toJavaScript() ?? {};
        answer(async () => deployment.registerOutputs(message.getUrn(), outputs), callback);
      },
      readResource(message: { getType(): string; getName(): string }, callback: Callback) {
        const what = `${message.getType()} (${message.getName()})`;
        answer(() => Promise.reject(new Error(`${what}: reading existing resources is not rehearsed`)), callback);
      },
      close() {},
    },
  };
}
