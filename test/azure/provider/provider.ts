import type { PropertyMap } from "./values";

/** Why the inputs of a resource are refused, before anything is asked of a cloud. */
export interface CheckFailure {
  /** Empty where the failure is not about one property. */
  property: string;
  reason: string;
}

export interface CheckRequest {
  urn: string;
  type: string;
  name: string;
  /** Inputs of the resource as it is; undefined for a new one. */
  olds: PropertyMap | undefined;
  news: PropertyMap;
  /** Makes automatic names repeatable: the engine gives the same seed to a preview and its update. */
  randomSeed: Uint8Array;
}

/** What kind of change a property has, as Pulumi's engine names it. */
export type ChangeKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface Diff {
  /** By property path (`storageProfile.osDisk`, `ports[0]`); empty where nothing changed. */
  detailed: Record<string, ChangeKind>;
  deleteBeforeReplace: boolean;
}

export interface DiffRequest {
  id: string;
  urn: string;
  type: string;
  oldInputs: PropertyMap;
  oldOutputs: PropertyMap;
  news: PropertyMap;
}

export interface CreateRequest {
  urn: string;
  type: string;
  name: string;
  inputs: PropertyMap;
  /** Nothing is done in a preview; outputs that only the cloud knows are unknown. */
  preview: boolean;
  /** Aborted when the engine that asks is gone: nobody waits for what is under way. @default it stays */
  gone?: AbortSignal;
}

export interface UpdateRequest extends CreateRequest {
  id: string;
  oldInputs: PropertyMap;
  oldOutputs: PropertyMap;
}

export interface ReadRequest {
  id: string;
  urn: string;
  type: string;
  inputs: PropertyMap;
  outputs: PropertyMap;
}

export interface DeleteRequest extends ReadRequest {
  /** As in a {@link CreateRequest}. */
  gone?: AbortSignal;
}

export interface Created {
  /** Empty in a preview. */
  id: string;
  outputs: PropertyMap;
}

/** The resource was made or changed, but is not as it should be: Pulumi keeps it, as failed, and updates it next time. */
export class PartialError extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: PropertyMap,
  ) {
    super(message);
  }
}

/** Undefined: the resource is gone. */
export type ReadResult = { inputs: PropertyMap; outputs: PropertyMap } | undefined;

/** One line of a provider's log that belongs to a resource. */
export type ResourceLog = (urn: string, line: string) => void;

/**
 * A Pulumi provider, in the engine's terms: implemented once, hosted in process (engine/in-process.ts) and over gRPC
 * (grpc-server.ts). Values carry secrets and unknowns as values.ts says. Methods throw what a user is to read.
 */
export interface ResourceProvider {
  /** `azure-native`, `random`, `command`. */
  readonly package: string;
  readonly version: string;
  check(request: CheckRequest): Promise<{ inputs: PropertyMap; failures: CheckFailure[] }>;
  diff(request: DiffRequest): Promise<Diff>;
  create(request: CreateRequest): Promise<Created>;
  read(request: ReadRequest): Promise<ReadResult>;
  update(request: UpdateRequest): Promise<PropertyMap>;
  delete(request: DeleteRequest): Promise<void>;
  invoke(token: string, args: PropertyMap): Promise<PropertyMap>;
  /** Provider configuration: `azure-native:location` and the like, without the namespace. */
  configure?(config: Record<string, string>): void;
  /** Where the provider's log lines go. */
  onLog?(log: ResourceLog): void;
  /** Ends what is under way: the engine was told to stop. */
  cancel?(): void;
}
