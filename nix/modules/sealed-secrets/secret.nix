# The type of one secret: where its sealed file is, and how it lies on the machine once it is open.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  ruled = import ../../lib/ruled-types.nix lib;

  secret = types.submodule (
    { name, ... }:
    {
      options = import ../../lib/file-options.nix lib // {
        sealedFile = mkOption {
          type = types.path;
          description = ''
            The sops file (a binary secret, JSON). It is copied to the world-readable Nix store: only ever a sealed one.
          '';
        };
        path = mkOption {
          type = ruled.path;
          default = "/run/secrets/${name}";
          description = "Where the secret appears, in memory. Elsewhere than in /run/secrets this is a link to there.";
        };
        restart = mkOption {
          type = types.listOf ruled.service;
          default = [ ];
          example = [ "app.service" ];
          description = ''
            Services that use the secret: they wait for it at boot, start when it arrives, and restart when it changes.
          '';
        };
      };
    }
  );
in
{
  options.sealed-onion.secrets = mkOption {
    type = types.attrsOf secret;
    default = { };
    description = "Secrets sealed by Key Vault, by name.";
  };
}
