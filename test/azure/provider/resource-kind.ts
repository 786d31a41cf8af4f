import type { Cloud, CloudResource } from "../cloud";
import type { Members, ModelPackage } from "./models";
import type { PropertyMap } from "./values";

/**
 * A rule for a name in a resource's path. Source of the limits:
 * https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
 */
export interface NameRule {
  /** The input that carries it: `vaultName`. */
  input: string;
  /** The whole name must match. */
  pattern: RegExp;
  /** What the pattern means, for the error. */
  rule: string;
  /** How azure-native names a resource that has no name: the Pulumi name and 8 hex digits, or a GUID. @default none */
  automatic?: "random" | "uuid";
}

/** A property that holds the id of another resource. */
export interface Reference {
  /** Path in the inputs: `ipConfigurations[].subnet.id`. */
  path: string;
  /** ARM types it may be of. */
  types: string[];
  /** It must be in the region of the resource that refers to it. @default true */
  sameRegion?: boolean;
  /** Azure's error code where it does not exist. @default InvalidResourceReference */
  code?: string;
}

/** A property that Azure does not change in place. */
export interface Immutable {
  path: string;
  /** @default PropertyChangeNotAllowed */
  code?: string;
  /** @default Changing property '<path>' is not allowed. */
  message?: string;
}

/** What a rule sees: the request in the SDK's shape and in ARM's, and the cloud as it is. */
export interface Situation {
  cloud: Cloud;
  /** Inputs in the SDK's shape. */
  inputs: PropertyMap;
  id: string;
  /** The resource as it would be stored, answers of the service not yet filled in. */
  wanted: CloudResource;
  /** The resource as it is; undefined in a create. */
  existing: CloudResource | undefined;
  /** Object id of the principal that runs `up`. */
  caller: string;
}

/**
 * One type of azure-native: what it takes, what Azure refuses, what it answers. Everything about a type that is data is
 * data here; the engine in azure-native.ts does the rest.
 */
export interface ResourceKind {
  /** `azure-native:keyvault:Vault`. */
  token: string;
  /** `Microsoft.KeyVault/vaults`. */
  type: string;
  /** The id, with inputs in braces; `{subscriptionId}` is filled in. */
  path: string;
  /** REST API version that azure-native 3.28 uses. */
  apiVersion: string;
  models: ModelPackage;
  /** Type of the request's body in Microsoft's models, or its members where azure-native made the type up. */
  request: string | Members;
  /** Type of the answer. */
  response: string | Members;
  names: NameRule[];
  /** Whether the resource has a place of its own, taken from its group or the provider's config where it is not given. */
  hasLocation: boolean;
  /** Inputs that azure-native's schema or Azure require although the model does not. */
  required?: string[];
  /** Closed sets of values which the model leaves open, by path. */
  allowed?: Record<string, readonly (string | number)[]>;
  /** Besides the path's own names: whose change makes a new resource in azure-native's schema. */
  replaceOn?: string[];
  references?: Reference[];
  immutable?: Immutable[];
  /** Inputs which stand-alone resources own where they are not given (`accessPolicies` of a vault). */
  ownedElsewhere?: string[];
  /** Refuses what Azure refuses; throws ArmError. */
  validate?(situation: Situation): void | Promise<void>;
  /** What the service fills in; answers the resource to store. */
  complete?(situation: Situation): CloudResource | Promise<CloudResource>;
  /** What a GET answers where that is more than what is stored (a key's newest version). */
  answer?(cloud: Cloud, stored: CloudResource): CloudResource;
  /** After the resource is stored. */
  stored?(situation: Situation): void | Promise<void>;
  /** Refuses a deletion, or does it in another way than by removing the resource; answers true where it did. */
  remove?(situation: Omit<Situation, "wanted"> & { existing: CloudResource }): boolean | Promise<boolean>;
  /** Where azure-native has its own code in place of a PUT (`AccessPolicy`). */
  custom?: CustomKind;
}

/** A type that azure-native implements by hand. Throws what the user reads. */
export interface CustomKind {
  create(situation: Situation): Promise<PropertyMap>;
  update(situation: Situation): Promise<PropertyMap>;
  /** Undefined: gone. */
  read(cloud: Cloud, id: string, state: PropertyMap): PropertyMap | undefined;
  delete(situation: Omit<Situation, "wanted" | "existing">): Promise<void>;
}
