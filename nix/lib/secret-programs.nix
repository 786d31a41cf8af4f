# The programs that open sealed secrets, of scripts/: all units that open some use the same ones.
{
  lib,
  pkgs,
  installer, # sops-nix's package
}:
let
  script = import ./script.nix { inherit lib pkgs; };
  say-change = import ./say-change.nix { inherit lib pkgs; };
  explain-sealed = script "explain-sealed" [
    pkgs.coreutils
    pkgs.curl
    pkgs.jq
  ];
in
{
  inherit say-change explain-sealed;
  place-secrets = script "place-secrets" [
    explain-sealed
    installer
    pkgs.coreutils
    pkgs.jq
    say-change
  ];
}
