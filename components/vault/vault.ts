import { type Principal, parsePrincipals } from "../azure/principals";
import { boolean, choice, type Field, gather, malformed, NAMESPACE, optional, wholeNumber } from "../config/fields";

const KEY_SIZES = [2048, 3072, 4096] as const;
const PROTECTIONS = ["software", "hsm"] as const;
const AUTHORIZATIONS = ["accessPolicy", "rbac"] as const;

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
  /** Who may seal and upload; none means the principal that runs `up`. @default none */
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
    sealers: () => optional(value("sealers"), DEFAULT_VAULT.sealers, parsePrincipals),
  });
}

/**
 * A production stack must not change hands with the principal that ran `up` last, and nobody may purge its vault.
 * @throws MalformedError where no sealer is named
 */
export function vaultForProduction(settings: VaultSettings): VaultSettings {
  if (settings.sealers.length > 0) return { ...settings, purgeProtection: true };
  const problem = "sealers must name somebody where production is true, got nobody";
  throw malformed(problem, `type pulumi config set --path '${NAMESPACE}:sealers[0]' OBJECT-ID`);
}
