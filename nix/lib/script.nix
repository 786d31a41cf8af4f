# script NAME PACKAGES  ->  scripts/NAME.sh as a program that finds these packages, checked by shellcheck as it is built.
{ lib, pkgs }:
name: runtimeInputs:
pkgs.writeShellApplication {
  inherit name runtimeInputs;
  text = lib.readFile ../scripts/${name}.sh;
}
