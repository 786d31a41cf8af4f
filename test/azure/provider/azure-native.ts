import type { Cloud, CloudResource } from "../cloud";
import { refuseDenied } from "../policy/assignments";
import { builtInRole } from "../resource-manager/role-definitions";
import { normalizedLocation, parseId, refuse } from "./arm";
import { inputFailures, membersOf, pathInputs, withDefaults } from "./kind-check";
import { checkRules, checkTags } from "./kind-rules";
import { kinds } from "./kinds";
import { fromWire, previewOutputs, settable } from "./model-convert";
import { type Right, refuseUnlessAllowed } from "./needed-rights";
import { detailedDiff, replacements } from "./property-diff";
import {
  type CheckRequest,
  type Created,
  type CreateRequest,
  type Diff,
  type DiffRequest,
  PartialError,
  type ReadRequest,
  type ReadResult,
  type ResourceProvider,
  type UpdateRequest,
} from "./provider";
import { createProviderFaults, type Operation, type ProviderFaults } from "./provider-faults";
import { mergeDrift } from "./refresh";
import type { ResourceKind, Situation } from "./resource-kind";
import { type PropertyMap, plainMap, withSecretsOf } from "./values";
import { wantedResource } from "./wanted-resource";

export interface AzureNativeOptions {
  cloud: Cloud;
  /** The principal that runs `up`: what `getClientConfig` answers, and whose rights deletions need. */
  principal: { objectId: string; clientId: string };
  /** `azure-native:location`. */
  location?: string;
  faults?: ProviderFaults;
  /** What that principal may do on the control plane. @default everything */
  allows?: ((right: Right) => boolean) | undefined;
}

const byToken = new Map(kinds.map((kind) => [kind.token, kind]));

function kindOf(type: string): ResourceKind {
  const kind = byToken.get(type);
  if (kind === undefined) throw new Error(`${type} is not simulated: describe it in test/azure/provider/kinds`);
  return kind;
}

/** Pulumi's name of a resource: the end of its URN. */
function nameIn(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

/**
 * azure-native over the rehearsal's cloud: strict where Azure is. What it checks, names, fills in, replaces and answers
 * follows pulumi-azure-native 3.28; what it refuses follows Azure's control plane (kinds/ name their sources).
 */
export function simulatedAzureNative(options: AzureNativeOptions): ResourceProvider & { faults: ProviderFaults } {
  const { cloud, principal } = options;
  const caller = { ...principal, allows: options.allows };
  const faults = options.faults ?? createProviderFaults();
  let location = options.location;

  function outputsOf(kind: ResourceKind, stored: CloudResource): PropertyMap {
    const answer = kind.answer?.(cloud, stored) ?? stored;
    const { id: _, ...outputs } = fromWire(answer, membersOf(kind, "response"), kind.models);
    return { ...outputs, azureApiVersion: kind.apiVersion };
  }

  function situationOf(kind: ResourceKind, inputs: PropertyMap): Situation {
    const wanted = wantedResource(kind, cloud, inputs);
    return { cloud, inputs, id: wanted.id, wanted, existing: cloud.get(wanted.id), caller: principal.objectId };
  }

  async function write(kind: ResourceKind, situation: Situation): Promise<PropertyMap> {
    refuseDenied(cloud, situation.wanted);
    await checkRules(kind, situation);
    checkTags(situation.wanted);
    const complete = (await kind.complete?.(situation)) ?? situation.wanted;
    const stored = cloud.put(complete);
    await kind.stored?.({ ...situation, wanted: stored });
    return outputsOf(kind, stored);
  }

  /** One operation, with the faults that strike before it and those that only spoil its answer. */
  async function perform<T extends { id: string; outputs: PropertyMap } | undefined>(
    operation: Operation,
    request: { type: string; urn: string },
    work: () => Promise<T>,
  ): Promise<T> {
    const before = faults.strike(operation, request.type, nameIn(request.urn), false);
    if (before) throw before;
    await faults.wait(operation, request.type, nameIn(request.urn), false);
    const done = await work();
    await faults.wait(operation, request.type, nameIn(request.urn), true);
    const after = faults.strike(operation, request.type, nameIn(request.urn), true);
    if (after && done) throw new PartialError(after.message, done.id, done.outputs);
    if (after) throw after;
    return done;
  }

  function previewOf(kind: ResourceKind, inputs: PropertyMap): PropertyMap {
    const { id: _, ...outputs } = previewOutputs(inputs, membersOf(kind, "response"), kind.models);
    return { ...outputs, azureApiVersion: kind.apiVersion };
  }

  async function create(request: CreateRequest): Promise<Created> {
    const kind = kindOf(request.type);
    const inputs = plainMap(request.inputs);
    if (request.preview) return { id: "", outputs: withSecretsOf(request.inputs, previewOf(kind, inputs)) };
    const made = await perform("create", request, async () => {
      const situation = situationOf(kind, inputs);
      refuseUnlessAllowed(caller, "create", situation.wanted);
      if (kind.custom) return { id: situation.id, outputs: await kind.custom.create(situation) };
      if (situation.existing) throw new Error(`cannot create already existing resource '${situation.id}'`);
      return { id: situation.id, outputs: await write(kind, situation) };
    });
    return { id: made.id, outputs: withSecretsOf(request.inputs, made.outputs) };
  }

  async function update(request: UpdateRequest): Promise<PropertyMap> {
    const kind = kindOf(request.type);
    const inputs = plainMap(request.inputs);
    if (request.preview) {
      const { name, location: place } = plainMap(request.oldOutputs);
      const stable = { ...(name !== undefined && { name }), ...(place !== undefined && { location: place }) };
      return withSecretsOf(request.inputs, { ...previewOf(kind, inputs), ...stable });
    }
    const done = await perform("update", request, async () => {
      const situation = situationOf(kind, inputs);
      refuseUnlessAllowed(caller, "update", situation.wanted);
      const outputs = kind.custom ? await kind.custom.update(situation) : await write(kind, situation);
      return { id: situation.id, outputs };
    });
    return withSecretsOf(request.inputs, done.outputs);
  }

  async function remove(request: ReadRequest): Promise<void> {
    const kind = kindOf(request.type);
    await perform("delete", request, async () => {
      const inputs = plainMap(request.inputs);
      refuseUnlessAllowed(caller, "delete", wantedResource(kind, cloud, inputs));
      const common = { cloud, inputs, id: request.id, caller: principal.objectId };
      if (kind.custom) {
        await kind.custom.delete(common);
        return undefined;
      }
      const existing = cloud.get(request.id);
      if (existing === undefined) return undefined;
      const isDone = (await kind.remove?.({ ...common, existing })) ?? false;
      if (!isDone) cloud.remove(request.id);
      return undefined;
    });
  }

  async function read(request: ReadRequest): Promise<ReadResult> {
    const kind = kindOf(request.type);
    const before = plainMap(request.outputs);
    const stored = kind.custom ? undefined : cloud.get(request.id);
    const outputs = kind.custom ? kind.custom.read(cloud, request.id, before) : stored && outputsOf(kind, stored);
    if (outputs === undefined) return undefined;
    const project = (values: PropertyMap) => settable(values, membersOf(kind, "request"), kind.models);
    const inputs = mergeDrift(plainMap(request.inputs), project(before), project(outputs), kind.ownedElsewhere ?? []);
    return { inputs: withSecretsOf(request.inputs, inputs), outputs: withSecretsOf(request.inputs, outputs) };
  }

  /** `getX` of a type X: what a GET answers. */
  function find(token: string, args: PropertyMap): PropertyMap {
    const kind = kindOf(token.replace(/:get(\w+)$/, ":$1"));
    const wanted = wantedResource(kind, cloud, args);
    refuseUnlessAllowed(caller, "read", wanted);
    const { id } = wanted;
    const stored = cloud.get(id) ?? builtIn(id);
    if (stored === undefined) refuseMissing(kind.type, id);
    return { ...outputsOf(kind, stored), id: stored.id };
  }

  function diff(request: DiffRequest): Diff {
    const kind = kindOf(request.type);
    const [old, now] = [plainMap(request.oldInputs), plainMap(request.news)];
    const replaceOn = [...pathInputs(kind), ...(kind.replaceOn ?? [])];
    const detailed = detailedDiff(comparable(old), comparable(now), replaceOn);
    const replaces = replacements(detailed).length > 0;
    return { detailed, deleteBeforeReplace: replaces && old.__createBeforeDelete !== true };
  }

  return {
    package: "azure-native",
    version: "3.28.0",
    faults,
    configure(config) {
      location = config.location ?? location;
    },
    async check(request: CheckRequest) {
      const kind = kindOf(request.type);
      const news = plainMap(request.news);
      const olds = request.olds && plainMap(request.olds);
      const inputs = withDefaults(kind, { ...request, news, olds }, cloud, location);
      return { inputs: withSecretsOf(request.news, inputs), failures: inputFailures(kind, inputs) };
    },
    diff: async (request) => diff(request),
    create,
    read,
    update,
    delete: remove,
    async invoke(token, args) {
      if (token !== "azure-native:authorization:getClientConfig") return find(token, plainMap(args));
      const { subscriptionId, tenantId } = cloud;
      return { clientId: principal.clientId, objectId: principal.objectId, subscriptionId, tenantId };
    },
  };
}

function refuseMissing(type: string, id: string): never {
  const { name = "", resourceGroup } = parseId(id) ?? {};
  if (type === "Microsoft.Resources/resourceGroups")
    refuse(404, "ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
  refuse(
    404,
    "ResourceNotFound",
    `The Resource '${type}/${name}' under resource group '${resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** Regions compare without case and spaces (azure-native, applyAzureSpecificDiff). */
function comparable(inputs: PropertyMap): PropertyMap {
  const { location, ...rest } = inputs;
  return typeof location === "string" ? { ...rest, location: normalizedLocation(location) } : inputs;
}

/** Azure's own roles are there in every scope. */
function builtIn(id: string): CloudResource | undefined {
  const role = /\/roleDefinitions\/([^/]+)$/i.exec(id)?.[1];
  const found = role === undefined ? undefined : builtInRole(role);
  if (found === undefined) return undefined;
  const { guid: name, permissions, roleName } = found;
  const properties = { roleName, type: "BuiltInRole", permissions, assignableScopes: ["/"] };
  return { id, type: "Microsoft.Authorization/roleDefinitions", name, properties };
}
