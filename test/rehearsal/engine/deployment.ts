import { replacements } from "loopback-azure/provider/property-diff";
import { type Diff, PartialError, type ResourceProvider } from "loopback-azure/provider/provider";
import type { PropertyMap } from "loopback-azure/provider/values";
import { packageOf, protectedError, reasonsOf, seedOf } from "./conventions";
import { type ResourceGoal, withIgnoredKept, withReplaceOnChanges, withSecretOutputs } from "./resource-goal";
import type { EngineState, ResourceState, Step, StepOperation } from "./state";

export interface DeploymentOptions {
  providers: readonly ResourceProvider[];
  previous: EngineState;
  preview: boolean;
  onStep?: (step: Step) => void;
}

/** An update under way: takes what a program wants, one resource at a time, and does what Pulumi's engine would do. */
export interface Deployment {
  register(goal: ResourceGoal): Promise<ResourceState>;
  registerOutputs(urn: string, outputs: PropertyMap): void;
  /** Deletes what the program no longer has; newest first. */
  finish(): Promise<void>;
  readonly steps: readonly Step[];
  /** What is there now, also after a failure. */
  state(): EngineState;
}

/** @throws whatever a provider refuses; what was done until then is in `state()` */
export function createDeployment(options: DeploymentOptions): Deployment {
  const { preview, previous } = options;
  const providers = new Map(options.providers.map((provider) => [provider.package, provider]));
  const live = previous.resources.filter(({ pendingDelete }) => !pendingDelete);
  const before = new Map(live.map((resource) => [resource.urn, resource]));
  const after = new Map<string, ResourceState>();
  const replaced = previous.resources.filter(({ pendingDelete }) => pendingDelete);
  const steps: Step[] = [];
  const gone = new Set<ResourceState>();

  function providerOf(type: string): ResourceProvider {
    const provider = providers.get(packageOf(type));
    if (provider === undefined)
      throw new Error(`${type}: no provider for package ${packageOf(type)} in this rehearsal`);
    return provider;
  }

  function done(op: StepOperation, urn: string, details: Omit<Step, "op" | "urn"> = {}): void {
    const step = { op, urn, ...details };
    steps.push(step);
    options.onStep?.(step);
  }

  function keep(
    goal: ResourceGoal,
    id: string,
    inputs: PropertyMap,
    outputs: PropertyMap,
    failed = false,
    times: Pick<ResourceState, "created" | "modified"> = {},
  ): ResourceState {
    const { urn, type, custom, parent, dependencies, protect, retainOnDelete, deletedWith } = goal;
    const known = withSecretOutputs(outputs, goal.additionalSecretOutputs);
    const flags = { protect, retainOnDelete, deletedWith, ...(failed && { failed }) };
    const state = { urn, type, custom, id, parent, inputs, outputs: known, dependencies, ...flags, ...times };
    after.set(urn, state);
    return state;
  }

  /** A resource that its provider made, but not well, is remembered before the error goes on. */
  async function keeping<T>(goal: ResourceGoal, inputs: PropertyMap, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PartialError) keep(goal, error.id, inputs, error.outputs, true);
      throw error;
    }
  }

  async function create(goal: ResourceGoal, inputs: PropertyMap): Promise<ResourceState> {
    const { urn, type, name } = goal;
    const provider = providerOf(type);
    const made = await keeping(goal, inputs, () => provider.create({ urn, type, name, inputs, preview }));
    return keep(goal, made.id, inputs, made.outputs, false, { created: now(), modified: now() });
  }

  async function remove(old: ResourceState, op: "delete" | "delete-replaced"): Promise<void> {
    const takenAlong = [...gone].some(({ urn }) => urn === old.deletedWith);
    if (!preview && old.custom && !takenAlong && !old.retainOnDelete && !old.type.startsWith("pulumi:providers:"))
      await providerOf(old.type).delete(old);
    gone.add(old);
    done(op, old.urn, { oldState: old });
  }

  async function replace(
    goal: ResourceGoal,
    old: ResourceState,
    inputs: PropertyMap,
    diff: Diff,
  ): Promise<ResourceState> {
    const reasons = reasonsOf(diff);
    if (old.protect) throw protectedError(old.urn);
    const first = goal.deleteBeforeReplace ?? diff.deleteBeforeReplace;
    if (first) {
      await remove(old, "delete-replaced");
      before.delete(old.urn);
    }
    const made = await create(goal, inputs).finally(() => {
      // one that was made, though not well, stands in the place of the old one, which then has to go
      if (!first && after.has(goal.urn)) replaced.push(old);
    });
    done("replace", goal.urn, { oldState: old, newState: made, ...reasons });
    done("create-replacement", goal.urn, { oldState: old, newState: made, ...reasons });
    return made;
  }

  async function update(
    goal: ResourceGoal,
    old: ResourceState,
    inputs: PropertyMap,
    diff: Diff,
  ): Promise<ResourceState> {
    const { urn, type, name } = goal;
    const request = { urn, type, name, inputs, preview, id: old.id, oldInputs: old.inputs, oldOutputs: old.outputs };
    const outputs = await keeping(goal, inputs, () => providerOf(type).update(request));
    const state = keep(goal, old.id, inputs, outputs, false, { ...timesOf(old), modified: now() });
    done("update", urn, { oldState: old, newState: state, ...reasonsOf(diff) });
    return state;
  }

  async function registerCustom(goal: ResourceGoal, old: ResourceState | undefined): Promise<ResourceState> {
    const { urn, type, name } = goal;
    const provider = providerOf(type);
    const news = old === undefined ? goal.inputs : withIgnoredKept(goal.inputs, old.inputs, goal.ignoreChanges);
    const { inputs, failures } = await provider.check({
      urn,
      type,
      name,
      olds: old?.inputs,
      news,
      randomSeed: seedOf(urn),
    });
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    if (old === undefined) {
      const state = await create(goal, inputs);
      done("create", urn, { newState: state });
      return state;
    }
    const request = { id: old.id, urn, type, oldInputs: old.inputs, oldOutputs: old.outputs, news: inputs };
    const diff = withReplaceOnChanges(await provider.diff(request), goal.replaceOnChanges);
    if (replacements(diff.detailed).length > 0) return replace(goal, old, inputs, diff);
    if (Object.keys(diff.detailed).length > 0 || old.failed) return update(goal, old, inputs, diff);
    const state = keep(goal, old.id, inputs, old.outputs, false, timesOf(old));
    done("same", urn, { oldState: old, newState: state });
    return state;
  }

  return {
    steps,
    async register(goal) {
      const known = [goal.urn, ...goal.aliases].map((urn) => before.get(urn)).find((state) => state !== undefined);
      if (after.has(goal.urn)) throw new Error(`Duplicate resource URN '${goal.urn}'; try giving it a unique name`);
      if (known !== undefined && known.urn !== goal.urn) {
        before.delete(known.urn);
        before.set(goal.urn, known);
      }
      if (goal.custom && !goal.type.startsWith("pulumi:providers:")) return registerCustom(goal, known);
      const state = keep(goal, goal.custom ? "provider" : "", goal.inputs, known?.outputs ?? {});
      done(known === undefined ? "create" : "same", goal.urn, { newState: state, ...(known && { oldState: known }) });
      return state;
    },
    registerOutputs(urn, outputs) {
      const state = after.get(urn);
      if (state === undefined) throw new Error(`unknown resource ${urn}`);
      state.outputs = outputs;
    },
    async finish() {
      const superfluous = [...before].filter(([urn]) => !after.has(urn)).map(([, old]) => old);
      const kept = superfluous.find(({ protect }) => protect); // then nothing is deleted at all, as by Pulumi's engine
      if (kept) throw protectedError(kept.urn);
      const age = new Map(previous.resources.map((resource, index) => [resource, index]));
      const newestFirst = [...superfluous, ...replaced].sort((a, b) => (age.get(b) ?? 0) - (age.get(a) ?? 0));
      for (const old of dependentsFirst(newestFirst)) {
        await remove(old, replaced.includes(old) ? "delete-replaced" : "delete");
        if (before.get(old.urn) === old) before.delete(old.urn);
      }
    },
    state() {
      const left = [...before].filter(([urn, old]) => !after.has(urn) && !gone.has(old)).map(([, old]) => old);
      const doomed = replaced.filter((old) => !gone.has(old)).map((old) => ({ ...old, pendingDelete: true }));
      return { resources: [...after.values(), ...left, ...doomed] };
    },
  };
}

/** In that order, but nothing before what needs it: what an earlier run could not delete stands last, whatever its age. */
function dependentsFirst(resources: readonly ResourceState[]): ResourceState[] {
  const waiting = [...resources];
  const isNeeded = ({ urn }: ResourceState) =>
    waiting.some((other) => other.urn !== urn && other.dependencies.includes(urn));
  return resources.map(() => {
    const next = waiting.findIndex((one) => !isNeeded(one));
    const [old] = waiting.splice(Math.max(next, 0), 1);
    return old as ResourceState;
  });
}

function now(): string {
  return new Date().toISOString();
}

function timesOf({ created, modified }: ResourceState): Pick<ResourceState, "created" | "modified"> {
  return { ...(created && { created }), ...(modified && { modified }) };
}
