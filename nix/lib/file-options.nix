# How a file that holds a secret lies on the machine: the same options for one from Key Vault and one from a Vault.
lib:
let
  inherit (lib) mkOption;
  types = import ./ruled-types.nix lib;
  defaults = (import ./rules.nix).defaults.secret;
in
{
  owner = mkOption {
    type = types.account;
    default = defaults.owner;
    description = "User that owns the file.";
  };
  group = mkOption {
    type = types.account;
    default = defaults.group;
    description = "Group of the file.";
  };
  mode = mkOption {
    type = types.mode;
    default = defaults.mode;
    description = "Mode of the file, four octal digits.";
  };
}
