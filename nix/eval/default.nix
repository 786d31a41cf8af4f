{ nixpkgs, sops-nix }:
let
  machine = import ../lib/machine.nix {
    evalConfig = import "${nixpkgs}/nixos/lib/eval-config.nix";
    sopsModule = "${sops-nix}/modules/sops";
    hosts = ./hosts;
  };
in
machine (import ../lib/stacks.nix ./stacks).example
