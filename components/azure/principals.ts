import { distinct, type Field, list, mustBe, NAMESPACE } from "../config/fields";

const PRINCIPAL_TYPES = { user: "User", group: "Group", servicePrincipal: "ServicePrincipal" } as const;

/** The 8-4-4-4-12 form of an id, lower case. */
export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Somebody in Entra ID: Azure wants to know what kind of principal an object id is. */
export interface Principal {
  readonly objectId: string;
  readonly type: (typeof PRINCIPAL_TYPES)[keyof typeof PRINCIPAL_TYPES];
}

/** A list of object ids, no principal twice. */
export function parsePrincipals(field: Field): Principal[] {
  const principals = list(field, "a list of object ids", parsePrincipal);
  distinct(
    field,
    principals.map(({ objectId }) => objectId),
  );
  return principals;
}

/** `OBJECT-ID` of a user, or `group:OBJECT-ID`, `servicePrincipal:OBJECT-ID`. */
function parsePrincipal(field: Field): Principal {
  const allowed = "an object id of Entra ID, after user:, group: or servicePrincipal: (user: may be left out)";
  const [, kind = "user", objectId = ""] = /^(?:([A-Za-z]+):)?([0-9A-Fa-f-]+)$/.exec(`${field.value}`) ?? [];
  const type = Object.entries(PRINCIPAL_TYPES).find(([name]) => name === kind)?.[1];
  if (typeof field.value !== "string" || type === undefined || !GUID.test(objectId.toLowerCase())) {
    const remedy = `type az ad signed-in-user show --query id and set ${NAMESPACE}:${field.path}`;
    throw mustBe(field, allowed, remedy);
  }
  return { objectId: objectId.toLowerCase(), type };
}
