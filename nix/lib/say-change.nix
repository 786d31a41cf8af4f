# scripts/say-change.sh as a program: what other scripts say on the console goes through it.
{ lib, pkgs }:
import ./script.nix { inherit lib pkgs; } "say-change" [ pkgs.coreutils ]
