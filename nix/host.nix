# The machine of every stack: what is the same for all of them. What differs comes from the stack's facts.
{ lib, ... }:
{
  imports = [
    ./modules/azure-image.nix
    ./modules/boot-agent.nix
    ./modules/data-disk.nix
    ./modules/front-end.nix
    ./modules/hardening.nix
    ./modules/onion-service.nix
    ./modules/replica.nix
    ./modules/sealed-secrets.nix
    ./modules/logs.nix
    ./modules/status.nix
    ./modules/update.nix
    ./modules/vault-agent.nix
  ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  # Services write on disk in the form of this release; it does not follow upgrades.
  system.stateVersion = "26.05";
}
