# The machine's name as Azure knows it, from the metadata service.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.bootAgent;
  file = "/run/azure-hostname/name";
in
{
  options.sealed-onion.bootAgent.hostname.enable = lib.mkEnableOption "taking the hostname from Azure";

  config = lib.mkIf (cfg.enable && cfg.hostname.enable) {
    networking.hostName = ""; # a name of its own would be put back by the next switch

    systemd.services.azure-hostname = import ../../lib/network-oneshot.nix {
      description = "Take the Hostname from Azure";
      serviceConfig = {
        ExecStart = [
          "${lib.getExe cfg.package} multi --provider azure --hostname ${file}"
          "${lib.getExe' pkgs.nettools "hostname"} --file ${file}"
        ];
        RuntimeDirectory = "azure-hostname";
        TimeoutStartSec = "180s";
      }
      // import ../../lib/confinement.nix {
        capabilities = [ "CAP_SYS_ADMIN" ]; # sethostname(2)
        addressFamilies = import ../../lib/lease-families.nix;
        addresses = [
          "168.63.129.16"
          "169.254.169.254"
        ];
      }
      // {
        ProtectHostname = false;
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
          "sethostname"
        ];
      };
    };
  };
}
