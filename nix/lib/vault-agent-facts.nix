# How Vault's agent on the machine logs in, as components/stack/facts.ts writes it; null where it is not configured.
{ hasFields, require, ruled }:
where: given:
let
  agent = (import ./rules.nix).defaults.vaultAgent // given;
in
if given == null then
  null
else
  require "${where}: vaultAgent" [
    (hasFields [ "address" "role" ] agent)
    (ruled "address" "vaultAddress" agent.address)
    (ruled "mount" "vaultMount" agent.mount)
    (ruled "role" "vaultRole" agent.role)
    (ruled "resource" "vaultAudience" agent.resource)
  ] agent
