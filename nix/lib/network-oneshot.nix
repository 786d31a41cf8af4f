# A unit that does one thing once the network is there, and tries until it succeeds: a value of `systemd.services`.
{ description, serviceConfig }:
{
  inherit description;
  wantedBy = [ "multi-user.target" ];
  wants = [ "network-online.target" ];
  after = [ "network-online.target" ];
  startLimitIntervalSec = 0;
  serviceConfig = {
    Type = "oneshot";
    RemainAfterExit = true;
  }
  // import ./retry.nix
  // serviceConfig;
}
