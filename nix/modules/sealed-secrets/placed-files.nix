# Files in memory that hold secrets, from any source: each has a place of its own, that lasts, and an owner.
{ config, lib, ... }:
let
  files = config.sealed-onion.placedFiles;
  inherit (lib) mkOption types;
  placeProblems = import ../../lib/place-problems.nix;
  runtimeFolders = import ../../lib/runtime-folders.nix lib;

  goesAtStop =
    service:
    !lib.elem (service.serviceConfig.RuntimeDirectoryPreserve or "no") [
      true
      "yes"
    ];
  # Those that lib/place-problems.nix refuses by name are not named twice.
  known = map (folder: "/run/${folder}") (import ../../lib/rules.nix).takenRunFolders;
  foldersThatGo = service: lib.optionals (goesAtStop service) (lib.subtractLists known (runtimeFolders service));
  holders =
    path:
    lib.attrNames (
      lib.filterAttrs (
        _: service: lib.any (folder: lib.hasPrefix "${folder}/" path) (foldersThatGo service)
      ) config.systemd.services
    );
in
{
  options.sealed-onion.placedFiles = mkOption {
    type = types.attrsOf (
      types.submodule {
        options = {
          path = mkOption { type = types.str; };
          owner = mkOption { type = types.str; };
          group = mkOption { type = types.str; };
          ownName = mkOption { type = types.nullOr types.str; };
        };
      }
    );
    default = { };
    internal = true;
    description = "Files that hold secrets, by the option that declares each.";
  };

  config.assertions =
    map
      (message: {
        assertion = false;
        inherit message;
      })
      (
        placeProblems (
          lib.mapAttrsToList (option: file: {
            inherit option;
            inherit (file) path;
            name = file.ownName;
          }) files
        )
      )
    ++ lib.concatLists (
      lib.mapAttrsToList (option: file: [
        {
          assertion = holders file.path == [ ];
          message = "${option}.path is ${file.path}, in a RuntimeDirectory of ${lib.concatStringsSep ", " (holders file.path)}, which goes when that service stops: set it elsewhere below /run";
        }
        {
          assertion = config.users.users ? ${file.owner};
          message = "${option}.owner is ${file.owner}, no user of this machine: declare users.users.${file.owner}";
        }
        {
          assertion = config.users.groups ? ${file.group};
          message = "${option}.group is ${file.group}, no group of this machine: declare users.groups.${file.group}";
        }
      ]) files
    );
}
