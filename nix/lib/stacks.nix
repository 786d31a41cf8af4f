# Every folder of `root` that holds a facts.json, as { <stack> = { name; directory; facts; }; }.
# No folder, or none with facts (a fresh checkout, before the first `pulumi up`), is an empty set and no error.
root:
let
  inherit (import ./facts.nix) readStack;
  entries = if builtins.pathExists root then builtins.readDir root else { };
  isStack = name: entries.${name} == "directory" && builtins.pathExists (root + "/${name}/facts.json");
in
builtins.listToAttrs (
  map (name: {
    inherit name;
    value = readStack name (root + "/${name}");
  }) (builtins.filter isStack (builtins.attrNames entries))
)
