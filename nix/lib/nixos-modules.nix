# What the flake offers as nixosModules. Each can be imported alone: what it builds on it imports itself, sops-nix's
# module (`sopsModule`) among it. Paths, so that nothing is there twice where several are imported.
sopsModule:
let
  withSops = file: {
    imports = [
      sopsModule
      file
    ];
  };
in
{
  default = withSops ../host.nix;
  azure-image = ../modules/azure-image.nix;
  boot-agent = withSops ../modules/boot-agent.nix;
  hardening = ../modules/hardening.nix;
  onion-service = withSops ../modules/onion-service.nix;
  sealed-secrets = withSops ../modules/sealed-secrets.nix;
  vault-agent = ../modules/vault-agent.nix;
}
