# OpenBao's agent knows no login with an Azure identity: a small unit of ours logs in, and the agent takes the token from
# a file in its memory. A timer sees to it that there is a good one before the agent's cannot be renewed any longer.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.vaultAgent;
  folder = "/run/vault-agent";
  script = import ../../lib/script.nix { inherit lib pkgs; };
  login = script "vault-login" [
    pkgs.coreutils
    pkgs.curl
    pkgs.jq
    (import ../../lib/say-change.nix { inherit lib pkgs; })
  ];
in
{
  config = lib.mkIf (cfg.enable && cfg.flavour == "openbao") {
    systemd.services.vault-agent = {
      wants = [ "vault-login.service" ];
      after = [ "vault-login.service" ];
    };

    systemd.timers.vault-login = {
      description = "Keep a Fresh Login at the Vault";
      wantedBy = [ "timers.target" ];
      # Most times it finds a good token. A role's ttl of two minutes is the least that this keeps up with.
      timerConfig = {
        OnActiveSec = "30s";
        OnUnitInactiveSec = "30s";
        AccuracySec = "5s";
      };
    };

    systemd.services.vault-login = {
      description = "Log in to the Vault with the Machine's Managed Identity";
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      unitConfig.RequiresMountsFor = [ folder ];
      environment = import ../../lib/vault-login-environment.nix cfg;
      serviceConfig = {
        Type = "oneshot";
        # The agent's user: the packet filter lets it ask the metadata service, and the token is the agent's alone.
        User = "vault-agent";
        Group = "vault-agent";
        inherit (config.systemd.services.vault-agent.serviceConfig) ExecStartPre;
        ExecStart = "${lib.getExe login} ${folder}";
        TimeoutStartSec = "120s";
      }
      // import ../../lib/confinement.nix { writable = [ folder ]; };
    };
  };
}
