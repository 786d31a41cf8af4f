# The type of one secret: where its sealed file is, and how it lies on the machine once it is open.
{ lib, ... }:
let
  inherit (lib) mkOption types;

  secret = types.submodule (
    { name, ... }:
    {
      options = {
        sealedFile = mkOption {
          type = types.path;
          description = ''
            The sops file (a binary secret, JSON). It is copied to the world-readable Nix store: only ever a sealed one.
          '';
        };
        path = mkOption {
          type = types.strMatching "/.+";
          default = "/run/secrets/${name}";
          description = "Where the secret appears. Elsewhere than in /run/secrets this is a link to there.";
        };
        owner = mkOption {
          type = types.str;
          default = "root";
          description = "User that owns the file.";
        };
        group = mkOption {
          type = types.str;
          default = "root";
          description = "Group of the file.";
        };
        mode = mkOption {
          type = types.strMatching "0[0-7]{3}";
          default = "0400";
          description = "Mode of the file, four octal digits.";
        };
        restart = mkOption {
          type = types.listOf (types.strMatching ".+\\.service");
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
