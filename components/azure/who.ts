import { howText, type Login } from "./login";

/** Somebody in Entra, as a token says it. */
export interface Who {
  readonly objectId: string;
  readonly tenantId: string;
  readonly kind: "user" | "service principal" | "managed identity";
  /** What people call them: an address, the name or the client id of an application. */
  readonly name: string;
}

/**
 * Reads a token's claims. Its signature is not checked: it was just given by Entra, and it is Azure that believes it.
 * Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 * @throws if it is no token of Entra's
 */
export function whoIs(token: string): Who {
  const claims = claimsOf(token);
  const text = (name: string) => (typeof claims[name] === "string" ? (claims[name] as string) : "");
  const user = text("upn") || text("unique_name") || text("preferred_username");
  const kind = text("xms_mirid") ? "managed identity" : user && text("idtyp") !== "app" ? "user" : "service principal";
  const application = text("app_displayname") || text("xms_mirid").split("/").at(-1) || text("appid") || text("azp");
  const who = { objectId: text("oid").toLowerCase(), tenantId: text("tid").toLowerCase() };
  if (!who.objectId || !who.tenantId) throw new Error("the token names no object id and tenant: it is none of Entra's");
  return { ...who, kind, name: kind === "user" ? user : application };
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** For people: `user jane@example.com (object id …, tenant …, by az login)`. */
export function whoText({ kind, name, objectId, tenantId }: Who, login: Login): string {
  return `${kind} ${name} (object id ${objectId}, tenant ${tenantId}, by ${howText(login)})`;
}
