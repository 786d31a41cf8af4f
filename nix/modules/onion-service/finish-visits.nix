# A machine that goes for good lets the visits end that it has taken in (scripts/finish-visits.sh), before anything that
# answers them is stopped.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  script = import ../../lib/script.nix { inherit lib pkgs; };
  finish = script "finish-visits" [
    config.systemd.package
    pkgs.coreutils
    pkgs.gnused
    pkgs.socat
  ];
in
{
  config = lib.mkIf (config.sealed-onion.onionServices != { }) {
    systemd.services.finish-visits = {
      description = "Finish Visits before the Machine Goes";
      wantedBy = [ "tor.service" ];
      # Units are stopped in the reverse order of their start: this one first, while tor, sites and whatever else answers
      # visitors still run. All of these are before multi-user.target.
      after = [
        "tor.service"
        "multi-user.target"
      ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStop = "-${lib.getExe finish} /run/tor/control";
        TimeoutStopSec = "15s";
      }
      # The socket is tor's own, in a folder of its own.
      // import ../../lib/confinement.nix {
        capabilities = [ "CAP_DAC_OVERRIDE" ];
        addressFamilies = [ "AF_UNIX" ];
        addresses = [ ];
      };
    };
  };
}
