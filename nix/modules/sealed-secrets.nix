# Secrets that are sealed by Azure Key Vault and opened at boot by this machine's managed identity, through sops-nix.
#
#   sealed-onion.keyVault = { keyUrl = "https://…/keys/…/…"; clientId = "…"; };
#   sealed-onion.secrets.token = { sealedFile = ./token.sops.json; owner = "app"; restart = [ "app.service" ]; };
#
# sops-nix alone unseals before the network is up, once, and a failure is for ever. Here it waits for the network,
# tries until it succeeds (sealed-secrets/unit.nix), says what is wrong meanwhile, and a unit that needs a secret waits for
# it and starts by itself when it arrives (sealed-secrets/consumers.nix).
{ config, lib, ... }:
let
  cfg = config.sealed-onion;
  inherit (lib) mkOption types;
  ruled = import ../lib/ruled-types.nix lib;
  rules = import ../lib/rules.nix;

  badNames = lib.filter (name: !rules.follows "name" name) (lib.attrNames cfg.secrets);
  # Users are made before the network is there, and so before any secret is.
  tooEarly = lib.filterAttrs (
    _: user: user.hashedPasswordFile != null && lib.any (path: isAt path user.hashedPasswordFile) secretPlaces
  ) config.users.users;
  secretPlaces = [ "/run/secrets" ] ++ map (secret: secret.path) (lib.attrValues cfg.secrets);
  isAt = place: file: file == place || lib.hasPrefix "${place}/" file;
in
{
  imports = [
    ./sealed-secrets/placed-files.nix
    ./sealed-secrets/consumers.nix
    ./sealed-secrets/secret.nix
    ./sealed-secrets/unit.nix
  ];

  options.sealed-onion = {
    keyVault = {
      keyUrl = mkOption {
        type = ruled.keyUrl;
        example = "https://sealed-abc.vault.azure.net/keys/sealing/0123456789abcdef0123456789abcdef";
        description = "The Key Vault key, with its version, that the sealed files are for.";
      };
      clientId = mkOption {
        type = types.nullOr ruled.clientId;
        default = null;
        description = ''
          Client id of the user-assigned identity that may decrypt with that key. Null takes the machine's only identity;
          with several, the metadata service refuses to guess.
        '';
      };
    };

    unseal = {
      ageKeyFile = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "/var/lib/age/key.txt";
        description = ''
          An age key on this machine as a second way to open the secrets, when they name it as a recipient. The file has
          to exist: sops-nix stops without it.
        '';
      };
      sshKeyPaths = mkOption {
        type = types.listOf types.str;
        default = [ "/etc/ssh/ssh_host_ed25519_key" ];
        description = ''
          SSH host keys (ed25519) as a second way, when the secrets name them as recipients. A missing one is only noted.
        '';
      };
      keepGenerations = mkOption {
        type = types.ints.positive;
        default = 3;
        description = "How many generations of the opened secrets stay in memory, the current one included.";
      };
    };
  };

  config = lib.mkIf (cfg.secrets != { }) {
    assertions = [
      {
        assertion = config.sops.useSystemdActivation;
        message = "sealed-onion.secrets are opened by a unit that waits for the network: set sops.useSystemdActivation = true";
      }
      {
        assertion = lib.all (device: device.randomEncryption.enable) config.swapDevices;
        message = "a swapped-out page can hold a secret in clear: set swapDevices.*.randomEncryption.enable, or no swapDevices";
      }
      {
        assertion = badNames == [ ];
        message = "sealed-onion.secrets has ${lib.concatMapStringsSep ", " builtins.toJSON badNames}, and a name must be ${rules.says "name"}: rename it";
      }
    ]
    ++ lib.mapAttrsToList (name: user: {
      assertion = false;
      message = "users.users.${name}.hashedPasswordFile is ${user.hashedPasswordFile}, a secret, which opens only after the users are made: set hashedPassword, or leave ${name} without a password";
    }) tooEarly;

    sealed-onion.placedFiles = lib.mapAttrs' (
      name: secret:
      lib.nameValuePair "sealed-onion.secrets.${name}" {
        inherit (secret) path owner group;
        ownName = name;
      }
    ) cfg.secrets;

    sops = {
      useSystemdActivation = true;
      inherit (cfg.unseal) keepGenerations;
      # Key Vault's client stops at the first credential that it can use; without this it probes five others first.
      environment = {
        AZURE_TOKEN_CREDENTIALS = "ManagedIdentityCredential";
        HOME = "/var/empty"; # sops looks for SSH keys there, and complains when there is no such variable
      }
      // lib.optionalAttrs (cfg.keyVault.clientId != null) { AZURE_CLIENT_ID = cfg.keyVault.clientId; };
      age = {
        keyFile = cfg.unseal.ageKeyFile;
        sshKeyPaths = cfg.unseal.sshKeyPaths;
      };
      gnupg.sshKeyPaths = [ ]; # no GPG on the machine
      defaultSopsFormat = "binary";
      secrets = lib.mapAttrs (_: secret: {
        inherit (secret)
          path
          owner
          group
          mode
          ;
        sopsFile = secret.sealedFile;
      }) cfg.secrets;
    };
  };
}
