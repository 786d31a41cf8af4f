# What every guest under test has: the modules, a secret and its consumer, and the way to the machine that is Azure.
{ fixtures, sopsModule }:
{
  config,
  lib,
  nodes,
  pkgs,
  ...
}:
let
  azure = nodes.azure.networking.primaryIPAddress;
  toAzure = address: {
    inherit address;
    prefixLength = 32;
    via = azure;
  };
in
{
  imports = [
    sopsModule
    ../modules/boot-agent.nix
    ../modules/hardening.nix
    ../modules/onion-service.nix
    ../modules/sealed-secrets.nix
    ../modules/vault-agent.nix
  ];

  # Azure's names and addresses; the authority stands for the ones that sign Azure's certificates.
  networking.hosts.${azure} = [
    "${fixtures.vault}.vault.azure.net"
    "login.microsoftonline.com"
    "management.azure.com"
  ];
  networking.interfaces.eth1.ipv4.routes = [
    (toAzure "169.254.169.254")
    (toAzure "168.63.129.16")
  ];
  security.pki.certificateFiles = [ "${fixtures.authority}/certificate.pem" ];

  sealed-onion = {
    keyVault = { inherit (fixtures) keyUrl clientId; };
    unseal.retry.longest = "4s"; # a test does not wait for a minute
    secrets.token = {
      sealedFile = lib.mkDefault "${fixtures.sealed}/token.sops.json";
      owner = "app";
      group = "app";
      mode = "0440";
      restart = [ "app.service" ];
    };
  };
  # The sealed files are made when the test is built, not when it is evaluated.
  sops.validateSopsFiles = false;

  users.users.app = {
    isSystemUser = true;
    group = "app";
  };
  users.groups.app = { };
  systemd.services.app = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      User = "app";
      RuntimeDirectory = "app";
      # What it read when it started; its digest, so that the plaintext lies nowhere but in the secret.
      ExecStartPre = pkgs.writeShellScript "read-token" ''
        ${pkgs.coreutils}/bin/sha256sum <${config.sealed-onion.secrets.token.path or "/dev/null"} >/run/app/digest
      '';
      ExecStart = "${pkgs.coreutils}/bin/sleep infinity";
    };
  };

  system.switch.enable = true;
  environment.systemPackages = [ pkgs.curl ];
  virtualisation.memorySize = 1024;
}
