import { type Existing, hasOwnEndpoints } from "../azure/existing/existing";
import { gather } from "../config/fields";
import { checkIsSaid } from "../network/network-settings";
import { type VaultSettings, vaultForProduction } from "../vault/vault";
import { field } from "./config-keys";

/**
 * What `production` makes of the vault's dials. It asks for what only its operators know: who seals, and from where.
 * @throws MalformedError with all that is missing
 */
export function forProduction(isProduction: boolean, vault: VaultSettings, existing: Existing): VaultSettings {
  if (!isProduction) return vault;
  return gather({
    vault: () => vaultForProduction(vault),
    network: () => (hasOwnEndpoints(existing) ? checkIsSaid(field("network")) : undefined),
  }).vault;
}
