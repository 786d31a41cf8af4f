# Writes how this machine is into a blob of its stack's account, with its identity's right to that container alone: the
# machine has no open port and no agent that could be asked.
#
#   sealed-onion.status = { enable = true; containerUrl = "https://….blob.core.windows.net/status"; };
#
# Nothing secret is in it, and nothing of any visitor (scripts/write-status.sh). It also follows what the Tor network has
# of each onion service, and publishes once more where a machine that was replaced had the last word
# (scripts/follow-descriptors.sh).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.status;
  services = config.sealed-onion.onionServices;
  hostnames = lib.mapAttrs (_: service: service.hostname) services;
  state = "/run/sealed-onion-status";
  inherit (lib) mkOption types;

  script = import ../lib/script.nix { inherit lib pkgs; };
  follow = script "follow-descriptors" [
    config.systemd.package
    pkgs.coreutils
    pkgs.diffutils
    pkgs.gnused
    pkgs.jq
    pkgs.socat
  ];
  write = script "write-status" [
    config.systemd.package
    pkgs.coreutils
    pkgs.curl
    pkgs.gnused
    pkgs.jq
  ];

  # Both look at /proc beyond the processes: uptime, memory, boot id.
  confined =
    more:
    import ../lib/confinement.nix ({ writable = [ state ]; } // more)
    // {
      ProcSubset = "all";
    };
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

  config = lib.mkIf (cfg.enable && services != { }) {
    services.tor.controlSocket.enable = true;

    systemd.tmpfiles.rules = [ "d ${state} 0700 root root -" ];

    systemd.services.follow-descriptors = {
      description = "Follow the Onion Services' Descriptors";
      # With tor, and again with each of its restarts; after its start, which is before it publishes anything.
      wantedBy = [ "tor.service" ];
      partOf = [ "tor.service" ];
      after = [ "tor.service" ];
      startLimitIntervalSec = 0;
      environment.SEALED_ONION_STATE = state;
      serviceConfig = {
        ExecStart = lib.escapeShellArgs (
          [
            (lib.getExe follow)
            "/run/tor/control"
          ]
          ++ lib.attrValues hostnames
        );
        Restart = "on-failure";
        RestartSec = "2s";
      }
      # The socket is tor's own, in a folder of its own.
      // confined {
        capabilities = [ "CAP_DAC_OVERRIDE" ];
        addressFamilies = [ "AF_UNIX" ];
        addresses = [ ];
      };
    };

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
      // lib.optionalAttrs (config.sealed-onion.keyVault.clientId != null) {
        AZURE_CLIENT_ID = config.sealed-onion.keyVault.clientId;
      };
      serviceConfig = {
        Type = "oneshot";
        ExecStart = lib.escapeShellArgs [
          (lib.getExe write)
          cfg.containerUrl
          (builtins.toJSON hostnames)
        ];
        TimeoutStartSec = "90s";
      }
      # Tor's state, for the age of its guards, is tor's own; the journal is the system's.
      // confined { capabilities = [ "CAP_DAC_READ_SEARCH" ]; };
    };
  };
}
