# The example with OpenBao in Vault's place: its agent cannot log in with a managed identity, so a unit of ours does.
{ lib, configOf }:
let
  bao = configOf (
    { lib, ... }:
    {
      sealed-onion.keyVault.clientId = lib.mkForce null;
      sealed-onion.vaultAgent = {
        flavour = "openbao";
        listener = "unix:/run/vault-agent/socket";
        caCertificate = "/etc/ssl/vault.pem";
      };
    }
  );

  agent = bao.sealed-onion.vaultAgent.settings;
  login = bao.systemd.services.vault-login;
in
{
  "OpenBao's agent takes Vault's place" =
    lib.hasInfix "/bin/bao agent -config=" bao.systemd.services.vault-agent.serviceConfig.ExecStart;
  "the agent's listener can be a unix socket" =
    agent.listener == [
      {
        type = "unix";
        address = "/run/vault-agent/socket";
        socket_mode = "0660";
        tls_disable = true;
        require_request_header = true;
      }
    ];
  "OpenBao's agent takes the token that a unit of its own has got, and is told the same" =
    (lib.head agent.auto_auth.method).type == "token_file"
    && lib.elem "vault-login.service" bao.systemd.services.vault-agent.wants
    && lib.elem "vault-login.service" bao.systemd.services.vault-agent.after
    && login.environment.SEALED_ONION_VAULT_ADDRESS == agent.vault.address;
  "that unit is the agent's user, which may ask the metadata service, and has no capability" =
    login.serviceConfig.User == "vault-agent"
    && login.serviceConfig.CapabilityBoundingSet == ""
    && login.serviceConfig.ReadWritePaths == [ "/run/vault-agent" ]
    && lib.hasInfix "meta skuid != { 0, 391 } counter reject" bao.networking.nftables.tables.azure-metadata.content;
  "it runs again and again" = bao.systemd.timers.vault-login.timerConfig.OnUnitInactiveSec == "30s";
  "what is not set is not written" =
    !(login.environment ? SEALED_ONION_VAULT_CLIENT_ID)
    && login.environment.SEALED_ONION_VAULT_CA == "/etc/ssl/vault.pem"
    && agent.vault.ca_cert == "/etc/ssl/vault.pem";
  "without a client id the machine's only identity is used" =
    !(bao.systemd.services.sops-install-secrets.environment ? AZURE_CLIENT_ID);
}
