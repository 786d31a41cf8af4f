# Follows what the Tor network has of each onion service (scripts/follow-descriptors.sh): says on the console when an
# address is published, and publishes once more where a machine that was replaced had the last word.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  services = config.sealed-onion.onionServices;
  replicas = config.sealed-onion.replica.services or { }; # replica.nix need not be there
  state = "/run/sealed-onion-status"; # status.nix reads it
  script = import ../../lib/script.nix { inherit lib pkgs; };
  follow = script "follow-descriptors" [
    (import ../../lib/say-change.nix { inherit lib pkgs; })
    config.systemd.package
    pkgs.coreutils
    pkgs.gnused
    pkgs.jq
    pkgs.socat
  ];
in
{
  config = lib.mkIf (services != { }) {
    services.tor.controlSocket.enable = true;

    systemd.services.follow-descriptors = {
      description = "Follow the Onion Services' Descriptors";
      # With tor, and again with each of its restarts; after its start, which is before it publishes anything.
      wantedBy = [ "tor.service" ];
      partOf = [ "tor.service" ];
      after = [ "tor.service" ];
      # Tor is wanted, and passed over, long before its key is open: without it there is nothing to follow.
      requisite = [ "tor.service" ];
      startLimitIntervalSec = 0;
      environment = {
        SEALED_ONION_STATE = state;
        SEALED_ONION_SAID = "/run/sealed-onion/said-tor";
      }
      // lib.optionalAttrs (replicas != { }) { SEALED_ONION_COUNT = "1800"; };
      serviceConfig = {
        ExecStart = lib.escapeShellArgs (
          config.sealed-onion.asReplica
          ++ [
            (lib.getExe follow)
            "/run/tor/control"
          ]
          ++ lib.mapAttrsToList (_: service: service.hostname) services
        );
        RuntimeDirectory = "sealed-onion sealed-onion-status";
        RuntimeDirectoryMode = "0700";
        RuntimeDirectoryPreserve = true;
        Restart = "on-failure";
        RestartSec = "2s";
      }
      # The socket is tor's own, in a folder of its own.
      // import ../../lib/confinement.nix {
        capabilities = [ "CAP_DAC_OVERRIDE" ];
        addressFamilies = [ "AF_UNIX" ];
        addresses = [ ];
      }
      // {
        ProcSubset = "all"; # uptime
      };
    };
  };
}
