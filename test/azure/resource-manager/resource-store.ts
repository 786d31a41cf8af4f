/** A managed identity block of an ARM resource (`identity`), as Azure answers it. */
export interface ResourceIdentity {
  /** `UserAssigned`, `SystemAssigned`, `SystemAssigned, UserAssigned` or `None`. */
  type: string;
  /** Object id of the system-assigned identity. */
  principalId?: string;
  tenantId?: string;
  /** By resource id of the user-assigned identity. */
  userAssignedIdentities?: Record<string, { principalId?: string; clientId?: string }>;
}

/**
 * One resource of the control plane, in the shape that a GET on management.azure.com answers (`properties` nested, not
 * flattened as azure-native's inputs are). Envelope members beside the named ones (`sku`, `kind`, `zones`, `plan` ...)
 * are kept as they are.
 */
export interface CloudResource {
  /** Full resource id, in the case it was created with; compared without case. */
  id: string;
  /** `Microsoft.KeyVault/vaults`; children as `Microsoft.KeyVault/vaults/keys`. */
  type: string;
  name: string;
  location?: string;
  tags?: Record<string, string>;
  identity?: ResourceIdentity;
  properties: Record<string, unknown>;
  [envelope: string]: unknown;
}

/** Which resources a listing is about: all conditions hold together. */
export interface ResourceFilter {
  /** Resource type, without case. */
  type?: string;
  /** An id: the resource itself and everything below it. */
  under?: string;
}

/** A write that the data planes see only later: Azure's eventual consistency. */
export interface WriteOptions {
  /** Milliseconds until data planes act on it. @default the store's delay for that resource type */
  effectiveAfterMs?: number;
}

export interface ResourceChange {
  kind: "put" | "removed";
  resource: CloudResource;
  previous?: CloudResource;
}

/** Resources by id: `get` and `list` are the control plane's view, `effective` is what data planes act on. */
export interface ResourceStore {
  put(resource: CloudResource, options?: WriteOptions): CloudResource;
  get(id: string): CloudResource | undefined;
  list(filter?: ResourceFilter): CloudResource[];
  /** Removes the resource and everything below it; answers what was removed, the deepest first. */
  remove(id: string, options?: WriteOptions): CloudResource[];
  effective(id: string): CloudResource | undefined;
  listEffective(filter?: ResourceFilter): CloudResource[];
  /** Called after each write; answers the function that ends it. */
  onChange(listener: (change: ResourceChange) => void): () => void;
}

interface Version {
  from: number;
  resource: CloudResource | undefined;
}

interface Entry {
  current: CloudResource | undefined;
  /** Oldest first; the last one whose time has come is in effect. */
  versions: Version[];
}

/** The form in which resource ids compare: lower case, one leading slash, none at the end. */
export function normalizeId(id: string): string {
  return `/${id.toLowerCase().replace(/^\/+|\/+$/g, "")}`;
}

/** Whether `id` is `scope` or lies below it; the scope `/` holds everything. */
export function isUnder(id: string, scope: string): boolean {
  const inner = normalizeId(id);
  const outer = normalizeId(scope);
  return outer === "/" || inner === outer || inner.startsWith(`${outer}/`);
}

function matches(resource: CloudResource, filter: ResourceFilter): boolean {
  if (filter.type !== undefined && filter.type.toLowerCase() !== resource.type.toLowerCase()) return false;
  return filter.under === undefined || isUnder(resource.id, filter.under);
}

function isResource(resource: CloudResource | undefined): resource is CloudResource {
  return resource !== undefined;
}

/** Written and read by value: nobody can change a stored resource behind the store's back. */
function copy<T extends CloudResource | undefined>(resource: T): T {
  return structuredClone(resource);
}

function inEffect(entry: Entry | undefined, now: number): CloudResource | undefined {
  if (entry === undefined) return undefined;
  let index = entry.versions.length - 1;
  while (index >= 0 && (entry.versions[index]?.from ?? 0) > now) index -= 1;
  return index < 0 ? undefined : entry.versions[index]?.resource;
}

/** Drops what is superseded: entries before the one in effect will never be read again. */
function appendVersion(entry: Entry, version: Version, now: number): void {
  const later = entry.versions.filter((known) => known.from > now && known.from <= version.from);
  const effective = inEffect(entry, now);
  entry.versions = [{ from: Number.NEGATIVE_INFINITY, resource: effective }, ...later, version];
}

/**
 * @param now the clock, milliseconds
 * @param delayOf milliseconds until a write to a resource of this type takes effect, where the write says nothing
 */
export function createResourceStore(now: () => number, delayOf: (type: string) => number): ResourceStore {
  const entries = new Map<string, Entry>();
  const listeners = new Set<(change: ResourceChange) => void>();

  function write(id: string, type: string, value: CloudResource | undefined, options: WriteOptions | undefined): void {
    const entry = entries.get(normalizeId(id)) ?? { current: undefined, versions: [] };
    entries.set(normalizeId(id), entry);
    entry.current = value;
    appendVersion(entry, { from: now() + (options?.effectiveAfterMs ?? delayOf(type)), resource: value }, now());
  }

  function notify(change: ResourceChange): void {
    for (const listener of listeners) listener(change);
  }

  function current(filter: ResourceFilter): CloudResource[] {
    return [...entries.values()]
      .map((entry) => entry.current)
      .filter((known) => isResource(known) && matches(known, filter)) as CloudResource[];
  }

  return {
    put(resource, options) {
      const stored = copy(resource);
      const previous = entries.get(normalizeId(stored.id))?.current;
      write(stored.id, stored.type, stored, options);
      notify({ kind: "put", resource: copy(stored), ...(previous && { previous: copy(previous) }) });
      return copy(stored);
    },
    get: (id) => copy(entries.get(normalizeId(id))?.current),
    list: (filter = {}) => current(filter).map(copy),
    remove(id, options) {
      const removed = current({ under: id }).sort((a, b) => b.id.length - a.id.length);
      for (const resource of removed) {
        write(resource.id, resource.type, undefined, options);
        notify({ kind: "removed", resource: copy(resource) });
      }
      return removed.map(copy);
    },
    effective: (id) => copy(inEffect(entries.get(normalizeId(id)), now())),
    listEffective(filter = {}) {
      const seen = [...entries.values()].map((entry) => inEffect(entry, now())).filter(isResource);
      return seen.filter((resource) => matches(resource, filter)).map(copy);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
