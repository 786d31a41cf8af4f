# Hands out the journal of the units that are named, beside the machine's status (status.nix): encrypted for the
# operators, who open it with `npm run status -- --logs`. Off where no unit is named: a service's journal may name its
# visitors.
#
#   sealed-onion.logs = { units = [ "tor.service" ]; recipients = [ "age1…" "ssh-ed25519 AAAA…" ]; };
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.logs;
  inherit (config.sealed-onion) status;
  inherit (lib) mkOption types;
  state = "/run/sealed-onion-logs";
  mostBytes = 1048576;
  script = import ../lib/script.nix { inherit lib pkgs; };
  write = script "write-logs" [
    config.systemd.package
    pkgs.age
    pkgs.coreutils
    pkgs.curl
    pkgs.jq
  ];
in
{
  imports = [ ./status.nix ];

  options.sealed-onion.logs = {
    units = mkOption {
      type = types.listOf (import ../lib/ruled-types.nix lib).service;
      default = [ ];
      example = [ "tor.service" ];
      description = "Services whose journal is handed out: the last MiB of it, every few minutes where something is new.";
    };
    recipients = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "age and SSH public keys of those who may read it.";
    };
  };

  config = lib.mkIf (cfg.units != [ ]) {
    assertions = [
      {
        assertion = cfg.recipients != [ ];
        message = "sealed-onion.logs.units are encrypted for nobody: set sealed-onion.logs.recipients";
      }
      {
        assertion = status.enable;
        message = "sealed-onion.logs lie where the status does: set sealed-onion.status.enable";
      }
    ];

    systemd.timers.write-logs = {
      description = "Hand Out the Journal";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = "30s";
        OnUnitInactiveSec = "5min";
      };
    };

    systemd.services.write-logs = {
      description = "Hand Out the Journal, Encrypted for the Operators";
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      environment = {
        SEALED_ONION_STATE = state;
        SEALED_ONION_RECIPIENTS = "${pkgs.writeText "recipients" (lib.concatMapStrings (key: "${key}\n") cfg.recipients)}";
      }
      // lib.optionalAttrs (config.sealed-onion.keyVault.clientId != null) {
        AZURE_CLIENT_ID = config.sealed-onion.keyVault.clientId;
      };
      serviceConfig = {
        Type = "oneshot";
        ExecStart = lib.escapeShellArgs (
          [
            (lib.getExe write)
            status.containerUrl
            mostBytes
          ]
          ++ cfg.units
        );
        RuntimeDirectory = "sealed-onion-logs";
        RuntimeDirectoryMode = "0700";
        RuntimeDirectoryPreserve = true;
        TimeoutStartSec = "120s";
      }
      // import ../lib/confinement.nix { capabilities = [ "CAP_DAC_READ_SEARCH" ]; }; # the journal is the system's
    };
  };
}
