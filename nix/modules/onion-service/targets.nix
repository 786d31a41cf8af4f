# Where each port of an onion service leads, for the programs that look whether somebody is there (scripts/find-silent.sh):
# a new system has to have that before it stays, and the status says where nobody is.
{ config, lib, ... }:
let
  services = config.sealed-onion.onionServices;

  leads =
    name: target:
    if target == "site" then
      {
        target = "127.0.0.1:${toString config.sealed-onion.onionSites.${name}.port}";
        unit = "onion-site-${name}.service";
      }
    else
      { inherit target; };
  ssh.target = "127.0.0.1:22";
  ssh.unit = "sshd.service";
in
{
  config = lib.mkIf (services != { }) {
    environment.etc."sealed-onion/targets.json".text = builtins.toJSON (
      lib.mapAttrs (
        name: service: lib.mapAttrs (_: leads name) service.ports // lib.optionalAttrs service.ssh { "22" = ssh; }
      ) services
    );
  };
}
