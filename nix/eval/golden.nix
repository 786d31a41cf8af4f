# What a guest does that is not NixOS: the rehearsal's follows this, and a test compares. Programs are named without
# their store paths, sealed files without their folder.
{ config, lib }:
let
  inherit (config.systemd) services;
  arguments = line: lib.splitString " " (toString line);
  # What NixOS sets for every unit says nothing here.
  ownEnvironment =
    unit:
    removeAttrs unit.environment [
      "LOCALE_ARCHIVE"
      "PATH"
      "TZDIR"
    ];
  set = lib.filterAttrs (_: value: value != null && value != [ ]);
in
{
  guest = {
    manifest = builtins.fromJSON (builtins.unsafeDiscardStringContext config.system.build.sops-nix-manifest.text);
    unseal = {
      environment = ownEnvironment services.sops-install-secrets;
      consumers = lib.mapAttrs (_: use: use.secrets) config.sealed-onion.unseal.consumers;
    };
    checkIn.arguments = arguments services.azure-check-in.serviceConfig.ExecStart;
    hostname.arguments = map arguments services.azure-hostname.serviceConfig.ExecStart;
    refresh.environment = removeAttrs (ownEnvironment services.refresh-secrets) [ "SEALED_ONION_MANIFEST" ];
    tor = {
      # The rehearsal has a control socket of its own.
      settings = removeAttrs (set config.services.tor.settings) [ "ControlPort" ];
      services = lib.mapAttrs (name: service: {
        inherit (service) path secretKey;
        inherit (config.sealed-onion.onionServices.${name}) hostname clientAuthorization;
        settings = set service.settings;
      }) config.services.tor.relay.onionServices;
      prepare = map arguments (lib.take 1 services.tor.serviceConfig.ExecStartPre);
    };
    sites = lib.mapAttrs (
      name: _: arguments services."onion-site-${name}".serviceConfig.ExecStart
    ) config.sealed-onion.onionSites;
  };
  vault-agent = config.sealed-onion.vaultAgent.settings;
  # The same options with the other flavour.
  vault-agent-openbao =
    let
      agent = config.sealed-onion.vaultAgent // {
        flavour = "openbao";
      };
    in
    {
      settings = import ../lib/vault-agent-settings.nix {
        inherit agent;
        folder = "/run/vault-agent";
      };
      login.environment = import ../lib/vault-login-environment.nix agent;
    };
}
