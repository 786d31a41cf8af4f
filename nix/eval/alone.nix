# Each of the flake's nixosModules in a machine that is not ours: alone, imported and then used as its first lines say.
{
  lib,
  nixpkgs,
  sopsModule,
}:
let
  modules = import ../lib/nixos-modules.nix sopsModule;

  # Somebody's machine, with an sshd of its own.
  theirs = {
    nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
    system.stateVersion = "26.05";
    fileSystems."/".device = lib.mkDefault "/dev/vda1";
    fileSystems."/".fsType = lib.mkDefault "ext4";
    boot.loader.grub.device = lib.mkDefault "nodev";
    services.openssh.enable = true;
    services.openssh.settings.PermitRootLogin = "prohibit-password";
  };
  configOf =
    more:
    (import (nixpkgs + "/nixos/lib/eval-config.nix") {
      system = null;
      modules = [ theirs ] ++ more;
    }).config;

  sealedFile = ./stacks/example/onion.sops.json;
  keyVault.keyUrl = "https://sealed-example.vault.azure.net/keys/sealing/0123456789abcdef0123456789abcdef";
  uses = {
    default = { };
    azure-image = { };
    boot-agent.sealed-onion.bootAgent = {
      enable = true;
      adminUser = "somebody";
    };
    front-end.sealed-onion = {
      inherit keyVault;
      secrets.onion = { inherit sealedFile; };
      frontEnd.services.site = {
        secret = "onion";
        hostname = "lbtgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztmn5ad.onion";
        backends = [ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion" ];
      };
    };
    data-disk = {
      sealed-onion.dataDisk = {
        enable = true;
        device = "/dev/sdb";
        keep."/var/lib/web" = [ "web.service" ];
      };
      systemd.services.web.script = "true";
    };
    hardening = { };
    onion-service.sealed-onion = {
      inherit keyVault;
      secrets.onion = { inherit sealedFile; };
      onionServices.site = {
        secret = "onion";
        hostname = "lbtgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztmn5ad.onion";
      };
    };
    replica.sealed-onion = {
      inherit (uses.onion-service.sealed-onion) keyVault secrets onionServices;
      replica.services.site = [
        {
          secret = "onion";
          hostname = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion";
        }
      ];
    };
    sealed-secrets.sealed-onion = {
      inherit keyVault;
      secrets.token = { inherit sealedFile; };
    };
    status.sealed-onion = {
      inherit keyVault;
      inherit (uses.onion-service.sealed-onion) secrets onionServices;
      status = {
        enable = true;
        containerUrl = "https://soexample.blob.core.windows.net/status";
      };
    };
    logs.sealed-onion = {
      inherit (uses.status.sealed-onion)
        keyVault
        secrets
        onionServices
        status
        ;
      logs = {
        units = [ "tor.service" ];
        recipients = [ "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" ];
      };
    };
    update.sealed-onion.update = {
      enable = true;
      stack = "dev";
      containerUrl = "https://soexample.blob.core.windows.net/systems";
      publicKey = "sealed-onion-dev:3JpEZ4S5bBDpBa8wEwyxgIxBa7KYWTLvk6nQ7dVgSyA=";
    };
    vault-agent.sealed-onion.vaultAgent = {
      enable = true;
      address = "https://vault.example.org:8200";
      role = "web";
    };
  };
  evaluates =
    name:
    let
      config = configOf [
        modules.${name}
        uses.${name}
      ];
      units = lib.filterAttrs (_: unit: unit.enable && unit ? text) config.systemd.units;
    in
    builtins.deepSeq (lib.mapAttrs (_: unit: unit.text) units) (lib.all (check: check.assertion) config.assertions);

  # What a machine runs, and how one gets in.
  shape = config: {
    units = lib.attrNames config.systemd.units;
    etc = lib.attrNames config.environment.etc;
    ssh = { inherit (config.services.openssh) listenAddresses settings; };
    nftables = config.networking.nftables.enable;
  };
in
lib.mapAttrs' (name: _: lib.nameValuePair "${name} can be imported alone, and used" (evaluates name)) modules
// {
  "what is imported and not used changes nothing" =
    shape (
      configOf (
        lib.attrVals [
          "boot-agent"
          "front-end"
          "onion-service"
          "replica"
          "sealed-secrets"
          "vault-agent"
        ] modules
      )
    ) == shape (configOf [ ]);
  "another machine's sshd stays open while a service has no ssh" =
    (configOf [
      modules.onion-service
      uses.onion-service
    ]).services.openssh.listenAddresses == [ ];
}
