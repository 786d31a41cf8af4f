# Vault Agent, or OpenBao's, that logs in to a Vault with this machine's managed identity: no credential is delivered.
#
#   sealed-onion.vaultAgent = {
#     enable = true; address = "https://vault.example.org:8200"; role = "web";
#     templates.db = { contents = ''{{ with secret "kv/data/db" }}{{ .Data.data.password }}{{ end }}''; restart = "web.service"; };
#   };
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.vaultAgent;
  inherit (lib) mkEnableOption mkOption types;
  ruled = import ../lib/ruled-types.nix lib;
  rules = import ../lib/rules.nix;
  folder = "/run/vault-agent";
  settings = import ../lib/vault-agent-settings.nix {
    inherit folder;
    agent = cfg;
  };
in
{
  imports = [
    ./imds.nix
    ./sealed-secrets/placed-files.nix
    ./vault-agent/login.nix
    ./vault-agent/templates.nix
    ./vault-agent/unit.nix
  ];

  options.sealed-onion.vaultAgent = {
    enable = mkEnableOption "an agent that logs in to a Vault with the machine's managed identity";
    flavour = mkOption {
      type = types.enum [
        "vault"
        "openbao"
      ];
      default = "vault";
      description = ''
        HashiCorp's Vault Agent (unfree), or OpenBao's `bao agent`. The latter cannot log in with an Azure identity by
        itself: {command}`vault-login.service` does it for it.
      '';
    };
    package = mkOption {
      type = types.package;
      default = if cfg.flavour == "vault" then pkgs.vault else pkgs.openbao;
      defaultText = lib.literalExpression "pkgs.vault or pkgs.openbao, by flavour";
      description = "The package with the agent.";
    };
    address = mkOption {
      type = ruled.vaultAddress;
      example = "https://vault.example.org:8200";
      description = "The Vault's URL.";
    };
    caCertificate = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "Certificate authority of the Vault's certificate (PEM), where the system's do not know it.";
    };
    mount = mkOption {
      type = ruled.vaultMount;
      default = rules.defaults.vaultAgent.mount;
      description = "Where the azure auth method is mounted, without `auth/`.";
    };
    role = mkOption {
      type = ruled.vaultRole;
      description = "The role to log in with.";
    };
    resource = mkOption {
      type = ruled.vaultAudience;
      default = rules.defaults.vaultAgent.resource;
      description = "Audience of the machine's token: what the auth method's configuration calls `resource`.";
    };
    clientId = mkOption {
      type = types.nullOr ruled.clientId;
      default = config.sealed-onion.keyVault.clientId or null; # sealed-secrets.nix need not be there
      defaultText = lib.literalExpression "config.sealed-onion.keyVault.clientId";
      description = "Client id of the user-assigned identity to log in with; null where there is only one.";
    };
    listener = mkOption {
      type = types.strMatching "(127\\.0\\.0\\.1|\\[::1]):[0-9]+|unix:/.+";
      default = rules.vaultAgentListener;
      example = "unix:/run/vault-agent/socket";
      description = ''
        Where programs on this machine reach the Vault with the agent's token. Any local user can reach a loopback port;
        a unix socket is for {option}`sealed-onion.vaultAgent.group` alone.
      '';
    };
    group = mkOption {
      type = types.str;
      default = "vault-agent";
      description = "The one group whose members can read the agent's token.";
    };
    settings = mkOption {
      type = (pkgs.formats.json { }).type;
      default = settings;
      defaultText = lib.literalMD "rendered from the other options";
      readOnly = true;
      description = "The agent's whole configuration, as it is rendered.";
    };
  };
}
