# The one place where facts become options: everything a deployment decides, and nothing else, comes through here.
stack:
{ lib, ... }:
let
  inherit (stack) facts;
  switches = facts.guest.bootAgent;
  # A front end's sealed files are its stack's.
  sealed = if facts.frontEnd == null then stack.directory else stack.directory + "/../${facts.frontEnd.of}";
in
{
  sealed-onion = {
    keyVault = {
      inherit (facts.vault) keyUrl;
      inherit (facts.identity) clientId;
    };

    secrets = lib.mapAttrs (_: secret: {
      sealedFile = sealed + "/${secret.sealedFile}";
      inherit (secret)
        path
        owner
        group
        mode
        restart
        ;
    }) facts.secrets;

    onionServices = lib.mapAttrs (_: service: {
      inherit (service)
        secret
        hostname
        ports
        clientAuthorization
        ssh
        ;
    }) facts.services;

    dataDisk.enable = lib.mkIf facts.dataDisk true;

    ssh.hostKey = facts.sshHostKey;
    replica = lib.mkIf (facts.replica != null) { inherit (facts.replica) services; };
    frontEnd = lib.mkIf (facts.frontEnd != null) { inherit (facts.frontEnd) services; };

    bootAgent = {
      enable = true;
      checkIn.enable = switches.checkIn;
      inherit (facts.guest) readyWhenUnsealed;
      hostname.enable = switches.hostname;
      entropy.enable = switches.entropy;
      adminUser = lib.mkIf switches.sshKeys facts.guest.adminUser;
      userDataSecrets.enable = facts.guest.userDataSecrets;
    };

    status = lib.mkIf (facts.status != null) {
      enable = true;
      inherit (facts.status) containerUrl;
    };

    logs = lib.mkIf (facts.logs != null) { inherit (facts.logs) units recipients; };

    update = lib.mkIf (facts.update != null) {
      enable = true;
      inherit (facts) stack;
      inherit (facts.update)
        containerUrl
        publicKey
        reboot
        keep
        ;
    };

    vaultAgent = lib.mkIf (facts.vaultAgent != null) {
      enable = true;
      inherit (facts.vaultAgent)
        address
        mount
        role
        resource
        ;
    };
  };

  # The processor of the size that the stack's machine has.
  nixpkgs.hostPlatform = facts.guest.system;

  # For people and tools that look into a machine or its disk: what it was made for.
  environment.etc."sealed-onion/facts.json".source = stack.directory + "/facts.json";
  environment.etc."sealed-onion/made-for".text = import ./made-for.nix stack;

  networking.hostName = lib.mkIf (!switches.hostname) facts.stack;
  system.nixos.variant_id = "sealed-onion";
}
