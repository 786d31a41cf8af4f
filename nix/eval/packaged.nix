# What `nix build path:GUEST#packages.….image-STACK` evaluates, of a guest's folder that somebody's project put together from
# the npm package: its own flake, with a nixpkgs and a sops-nix that are given.
{
  nixpkgs,
  sops-nix,
  guest,
  stack,
}:
let
  lib = import (nixpkgs + "/lib");
  system = "x86_64-linux";
  flake = (import (guest + "/flake.nix")).outputs {
    self = flake;
    nixpkgs = {
      lib = lib // {
        nixosSystem = arguments: import (nixpkgs + "/nixos/lib/eval-config.nix") ({ system = null; } // arguments);
      };
      legacyPackages.${system} = import nixpkgs { inherit system; };
    };
    sops-nix.nixosModules.sops = sops-nix + "/modules/sops";
  };
  inherit (flake.nixosConfigurations.${stack}) config;
in
{
  stacks = lib.attrNames flake.nixosConfigurations;
  image = flake.packages.${system}."image-${stack}".drvPath;
  system = flake.packages.${system}."system-${stack}".drvPath;
  assertions = map (check: check.message) (lib.filter (check: !check.assertion) config.assertions);

  # Whether each service shows the folder's pages, and what the stack's own host file says.
  pages = lib.mapAttrs (_: service: "${service.site}" == "${guest + "/site"}") config.sealed-onion.onionServices;
  host = config.environment.etc."from-the-project".text;
}
