# The program that finds onion services that lead to nothing on this machine.
{
  config,
  lib,
  pkgs,
}:
import ./script.nix { inherit lib pkgs; } "find-silent" [
  config.systemd.package
  pkgs.coreutils
  pkgs.jq
]
