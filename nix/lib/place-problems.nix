# What is wrong with where secrets are to lie, as components/secrets says it of a configuration.
#   [ { option; name; path; } ]  ->  [ message ]        name: of the one place in /run/secrets that is its own, or null
places:
let
  rules = import ./rules.nix;
  folderOf = path: builtins.elemAt (builtins.split "/" path) 4; # "" [ ] "run" [ ] "<folder>"
  isInside = folder: path: path == folder || builtins.substring 0 (builtins.stringLength folder + 1) path == "${folder}/";

  own =
    { option, name, path }:
    if builtins.elem (folderOf path) rules.takenRunFolders then
      [ "${option}.path is ${path}, and /run/${folderOf path} belongs to the system: set it elsewhere below /run" ]
    else if isInside "/run/secrets" path && (name == null || path != "/run/secrets/${name}") then
      [
        "${option}.path is ${path}, where sops-nix has its own links: set it ${
          if name == null then "" else "to /run/secrets/${name}, or "
        }outside /run/secrets"
      ]
    else
      [ ];

  # Each pair once: sorted, whatever lies inside another comes after it.
  sorted = builtins.sort (left: right: left.path < right.path || (left.path == right.path && left.option < right.option)) places;
  others = index: builtins.genList (offset: builtins.elemAt sorted (index + 1 + offset)) (builtins.length sorted - index - 1);
  shared = builtins.concatLists (
    builtins.genList (
      index:
      let
        place = builtins.elemAt sorted index;
      in
      map (
        other: "${other.option}.path is ${other.path}, and ${place.option} is at ${place.path}: give each a place of its own"
      ) (builtins.filter (other: isInside place.path other.path) (others index))
    ) (builtins.length sorted)
  );
in
builtins.concatMap own places ++ shared
