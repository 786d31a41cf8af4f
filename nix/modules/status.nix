# Writes how this machine is into a blob of its stack's account, with its identity's right to that container alone: the
# machine has no open port and no agent that could be asked.
#
#   sealed-onion.status = { enable = true; containerUrl = "https://….blob.core.windows.net/status"; };
#
# Nothing secret is in it, and nothing of any visitor (scripts/write-status.sh).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.status;
  services = config.sealed-onion.onionServices;
  # front-end.nix need not be there
  hostnames = lib.mapAttrs (_: service: service.hostname) (services // config.sealed-onion.frontEnd.services or { });
  inherit (config.sealed-onion) asReplica;
  replica = config.sealed-onion.replica.services or { }; # replica.nix need not be there
  # Those of a replica that no front end publishes.
  alone = lib.attrNames (lib.filterAttrs (name: service: replica ? ${name} && service.ssh) services);
  state = "/run/sealed-onion-status";
  dataDisk = config.sealed-onion.dataDisk or { }; # data-disk.nix need not be there
  inherit (lib) mkOption types;

  script = import ../lib/script.nix { inherit lib pkgs; };
  write = script "write-status" [
    config.systemd.package
    (import ../lib/find-silent.nix { inherit config lib pkgs; })
    pkgs.coreutils
    pkgs.curl
    pkgs.gnused
    pkgs.jq
  ];
in
{
  imports = [ ./onion-service.nix ];

  options.sealed-onion.status = {
    enable = lib.mkEnableOption "writing this machine's status to a blob container";
    containerUrl = mkOption {
      type = types.strMatching "https://[a-z0-9]{3,24}\\.blob\\.[a-z.]+/[a-z0-9-]+";
      example = "https://sodev1a2b3c4d.blob.core.windows.net/status";
      description = "The container that the machine's identity may write to.";
    };
    interval = mkOption {
      type = types.str;
      default = "15s";
      description = "How often the machine looks at itself (a systemd time span). It writes what has changed, or every five minutes.";
    };
  };

  config = lib.mkIf (cfg.enable && hostnames != { }) {
    systemd.tmpfiles.rules = [ "d ${state} 0700 root root -" ];

    systemd.timers.write-status = {
      description = "Write How This Machine Is";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = "1s";
        OnUnitInactiveSec = cfg.interval;
        AccuracySec = "1s";
      };
    };

    systemd.services.write-status = {
      description = "Write How This Machine Is to Azure";
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      environment = {
        SEALED_ONION_STATE = state;
        SEALED_ONION_TOR = config.services.tor.package.version;
      }
      // lib.optionalAttrs (alone != [ ]) { SEALED_ONION_ALONE = toString alone; }
      // lib.optionalAttrs (dataDisk.enable or false) { SEALED_ONION_DATA = dataDisk.folder; }
      // lib.optionalAttrs (config.sealed-onion.keyVault.clientId != null) {
        AZURE_CLIENT_ID = config.sealed-onion.keyVault.clientId;
      };
      serviceConfig = {
        Type = "oneshot";
        ExecStart = lib.escapeShellArgs (
          asReplica
          ++ [
            (lib.getExe write)
            cfg.containerUrl
            (builtins.toJSON hostnames)
          ]
        );
        TimeoutStartSec = "90s";
      }
      # Tor's state, for the age of its guards, is tor's own; the journal is the system's.
      // import ../lib/confinement.nix {
        capabilities = [ "CAP_DAC_READ_SEARCH" ];
        writable = [ state ];
      }
      // {
        ProcSubset = "all"; # uptime, memory, boot id
      };
    };
  };
}
