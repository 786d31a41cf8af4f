/**
 * What somebody's own Pulumi program takes from the package `sealed-onion`. Sealed files lie in the project's folder
 * `sealed/`, or where `"sealed-onion": { "sealed": FOLDER }` of its package.json says.
 */
export { lendLogin } from "./azure/session/lend-login";
export { OnionFleet, type OnionFleetArgs } from "./fleet/onion-fleet";
export { NixosImage, type NixosImageArgs } from "./image/nixos-image";
export { declareSecret } from "./secrets/declare-secret";
export { SealedSecret, type SealedSecretArgs } from "./secrets/sealed-secret";
export { sealSecrets } from "./secrets/sealed-secrets";
export type { SecretDeclaration } from "./secrets/secret";
export { readConfig, type StackConfig } from "./stack/config";
export { deployedFacts } from "./stack/facts";
export { machineFacts } from "./stack/fleet-facts";
export { makeMachines, sealFor } from "./stack/machines";
export { SealingVault, type SealingVaultArgs } from "./vault/sealing-vault";
export { DEFAULT_VAULT } from "./vault/vault";
export { VaultAzureAuth, type VaultAzureAuthArgs } from "./vault-auth/vault-azure-auth";
export { OnionVm, type OnionVmArgs } from "./vm/onion-vm";
export { statusUrl } from "./vm/status/status-container";
