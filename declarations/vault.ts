import {
  boolean,
  choice,
  distinct,
  type Field,
  gather,
  list,
  malformed,
  mustBe,
  NAMESPACE,
  optional,
  wholeNumber,
} from "./fields";

const KEY_SIZES = [2048, 3072, 4096] as const;
const PROTECTIONS = ["software", "hsm"] as const;
const AUTHORIZATIONS = ["accessPolicy", "rbac"] as const;
const PRINCIPAL_TYPES = { user: "User", group: "Group", servicePrincipal: "ServicePrincipal" } as const;

/** The 8-4-4-4-12 form of an id, lower case. */
export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Somebody in Entra ID: Azure wants to know what kind of principal an object id is. */
export interface Principal {
  readonly objectId: string;
  readonly type: (typeof PRINCIPAL_TYPES)[keyof typeof PRINCIPAL_TYPES];
}

/** The dials of the Key Vault and its key. */
export interface VaultSettings {
  /** RSA bits. @default 3072 */
  readonly keySize: (typeof KEY_SIZES)[number];
  /** Where the key is kept: `hsm` needs the premium tier and costs more. @default software */
  readonly keyProtection: (typeof PROTECTIONS)[number];
  /** Who may use the key: by the vault's access policies, or by role assignments on it. @default accessPolicy */
  readonly authorization: (typeof AUTHORIZATIONS)[number];
  /** Whether a deleted vault cannot be purged before its time; cannot be turned off again. @default false */
  readonly purgeProtection: boolean;
  /** How long a deleted vault can be recovered, 7 to 90 days; fixed once the vault exists. @default 90 */
  readonly softDeleteDays: number;
  /** Who may seal and upload; none means whoever runs `up`. @default none */
  readonly sealers: readonly Principal[];
}

export const DEFAULT_VAULT: VaultSettings = {
  keySize: 3072,
  keyProtection: "software",
  authorization: "accessPolicy",
  purgeProtection: false,
  softDeleteDays: 90,
  sealers: [],
};

/** Reads the keys of the same names. */
export function parseVault(value: (key: string) => Field): VaultSettings {
  const { keySize, keyProtection, authorization, purgeProtection, softDeleteDays } = DEFAULT_VAULT;
  return gather<VaultSettings>({
    keySize: () => optional(value("keySize"), keySize, (field) => choice(field, KEY_SIZES)),
    keyProtection: () => optional(value("keyProtection"), keyProtection, (field) => choice(field, PROTECTIONS)),
    authorization: () => optional(value("authorization"), authorization, (field) => choice(field, AUTHORIZATIONS)),
    purgeProtection: () => optional(value("purgeProtection"), purgeProtection, boolean),
    softDeleteDays: () => optional(value("softDeleteDays"), softDeleteDays, (field) => wholeNumber(field, 7, 90)),
    sealers: () => optional(value("sealers"), DEFAULT_VAULT.sealers, parseSealers),
  });
}

function parseSealers(field: Field): Principal[] {
  const sealers = list(field, "a list of object ids", parsePrincipal);
  distinct(
    field,
    sealers.map(({ objectId }) => objectId),
  );
  return sealers;
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

/** A production stack must not change hands with whoever ran `up` last. */
export function checkProduction(isProduction: boolean, { sealers }: VaultSettings): void {
  if (!isProduction || sealers.length > 0) return;
  const problem = "sealers must name somebody where production is true, got nobody";
  throw malformed(problem, `type pulumi config set --path '${NAMESPACE}:sealers[0]' OBJECT-ID`);
}
