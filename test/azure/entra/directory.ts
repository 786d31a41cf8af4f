import { createHash, randomUUID } from "node:crypto";
import type { ResourceStore } from "../resource-manager/resource-store";

/** What can hold a token. */
export interface Principal {
  /** `oid` in tokens: what access policies and role assignments name. */
  objectId: string;
  /** `appid` in tokens. */
  clientId: string;
  tenantId: string;
  displayName: string;
  kind: "application" | "managedIdentity";
  /** Resource id of a managed identity (`xms_mirid`); for a system-assigned one, its machine's id. */
  resourceId?: string;
  /** Object ids of groups it belongs to. */
  memberOf: string[];
}

/** Trust in a token of another issuer: GitHub Actions, a Kubernetes cluster, Vault. */
export interface FederatedCredential {
  /** Exact `iss`. */
  issuer: string;
  /** Exact `sub`. */
  subject: string;
  /** `aud` must be one of these. @default api://AzureADTokenExchange */
  audiences?: string[];
}

export interface ApplicationRequest {
  displayName: string;
  clientId?: string;
  objectId?: string;
  /** @default the cloud's own tenant */
  tenantId?: string;
  /** Client secrets: each is accepted. */
  secrets?: string[];
  federatedCredentials?: FederatedCredential[];
  memberOf?: string[];
}

export interface Application extends Principal {
  secrets: string[];
  federatedCredentials: FederatedCredential[];
}

export interface FederationTrusts {
  principal: Principal;
  trusts: FederatedCredential[];
}

/** Entra's principals: applications are added here, managed identities are read from the resources that stand for them. */
export interface Directory {
  addApplication(request: ApplicationRequest): Application;
  removeApplication(objectId: string): boolean;
  application(tenantId: string, clientId: string): Application | undefined;
  /** A user-assigned identity, by its resource id. */
  managedIdentity(resourceId: string): Principal | undefined;
  /** A resource's own identity. */
  systemIdentity(resourceId: string): Principal | undefined;
  principal(objectId: string): Principal | undefined;
  /** Whether anybody of that tenant is known. */
  hasTenant(tenantId: string): boolean;
  /** Trust relations of an application or user-assigned identity, by client id. */
  federatedCredentials(tenantId: string, clientId: string): FederationTrusts | undefined;
}

const IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities";

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** ARM does not tell the client id of a system-assigned identity: one that never changes is made of its object id. */
function clientIdFor(objectId: string): string {
  const hex = createHash("sha256").update(`client:${objectId.toLowerCase()}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * @param tenantId the cloud's own tenant
 * @param resources where managed identities are found
 */
export function createDirectory(tenantId: string, resources: ResourceStore): Directory {
  const applications = new Map<string, Application>();

  function managedIdentity(resourceId: string): Principal | undefined {
    const resource = resources.get(resourceId);
    const objectId = text(resource?.properties.principalId);
    const clientId = text(resource?.properties.clientId);
    if (resource === undefined || !same(resource.type, IDENTITY_TYPE) || !objectId || !clientId) return undefined;
    const tenant = text(resource.properties.tenantId) ?? tenantId;
    const base = { objectId, clientId, tenantId: tenant, displayName: resource.name, memberOf: [] };
    return { ...base, kind: "managedIdentity", resourceId: resource.id };
  }

  function systemIdentity(resourceId: string): Principal | undefined {
    const resource = resources.get(resourceId);
    const objectId = text(resource?.identity?.principalId);
    if (resource === undefined || objectId === undefined) return undefined;
    const base = { objectId, clientId: clientIdFor(objectId), displayName: resource.name, memberOf: [] };
    return {
      ...base,
      tenantId: resource.identity?.tenantId ?? tenantId,
      kind: "managedIdentity",
      resourceId: resource.id,
    };
  }

  function managedIdentities(): Principal[] {
    const found = resources.list({ type: IDENTITY_TYPE }).map((resource) => managedIdentity(resource.id));
    return found.filter((identity) => identity !== undefined);
  }

  function application(tenant: string, clientId: string): Application | undefined {
    const all = [...applications.values()];
    return all.find((known) => same(known.clientId, clientId) && same(known.tenantId, tenant));
  }

  function identityTrusts(resourceId: string): FederatedCredential[] {
    const type = `${IDENTITY_TYPE}/federatedIdentityCredentials`;
    return resources.list({ type, under: resourceId }).map(({ properties }) => ({
      issuer: String(properties.issuer),
      subject: String(properties.subject),
      ...(Array.isArray(properties.audiences) && { audiences: properties.audiences.map(String) }),
    }));
  }

  return {
    addApplication(request) {
      const made: Application = {
        displayName: request.displayName,
        objectId: request.objectId ?? randomUUID(),
        clientId: request.clientId ?? randomUUID(),
        tenantId: request.tenantId ?? tenantId,
        kind: "application",
        memberOf: [...(request.memberOf ?? [])],
        secrets: [...(request.secrets ?? [])],
        federatedCredentials: [...(request.federatedCredentials ?? [])],
      };
      applications.set(made.objectId.toLowerCase(), made);
      return made;
    },
    hasTenant(wanted) {
      return [...applications.values()].some((known) => same(known.tenantId, wanted));
    },
    removeApplication: (objectId) => applications.delete(objectId.toLowerCase()),
    application,
    managedIdentity,
    systemIdentity,
    principal(objectId) {
      const known = applications.get(objectId.toLowerCase());
      if (known) return known;
      const assigned = managedIdentities().find((identity) => same(identity.objectId, objectId));
      if (assigned) return assigned;
      const owner = resources.list().find((resource) => same(resource.identity?.principalId ?? "", objectId));
      return owner && systemIdentity(owner.id);
    },
    federatedCredentials(tenant, clientId) {
      const known = application(tenant, clientId);
      if (known) return { principal: known, trusts: known.federatedCredentials };
      const isWanted = (one: Principal) => same(one.clientId, clientId) && same(one.tenantId, tenant);
      const identity = managedIdentities().find(isWanted);
      if (identity?.resourceId === undefined) return undefined;
      return { principal: identity, trusts: identityTrusts(identity.resourceId) };
    },
  };
}
