# What the flake offers as nixosModules. Each can be imported alone: what it builds on it imports itself, sops-nix's
# module (`sopsModule`) among it. Sets around paths: a path is there once, however many modules import it, and Nix before
# 2.9 takes no bare path for a module.
sopsModule:
let
  plain = file: { imports = [ file ]; };
  withSops = file: {
    imports = [
      sopsModule
      file
    ];
  };
in
{
  default = withSops ../host.nix;
  azure-image = plain ../modules/azure-image.nix;
  boot-agent = withSops ../modules/boot-agent.nix;
  data-disk = plain ../modules/data-disk.nix;
  front-end = withSops ../modules/front-end.nix;
  hardening = plain ../modules/hardening.nix;
  logs = withSops ../modules/logs.nix;
  onion-service = withSops ../modules/onion-service.nix;
  replica = withSops ../modules/replica.nix;
  sealed-secrets = withSops ../modules/sealed-secrets.nix;
  status = withSops ../modules/status.nix;
  update = withSops ../modules/update.nix;
  vault-agent = plain ../modules/vault-agent.nix;
}
