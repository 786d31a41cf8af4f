# Of what parts the guest's folder is made, for the disk to say (lib/made-for.nix): the entry's name -> the first digits of a
# SHA-256 over the files in it, as components/image/guest-tree.ts computes it of what is declared.
#
# What cannot be seen from here does not count: whether a file is a program, and where a link leads.
root:
let
  inherit (import ./rules.nix) tree;
  inherit (builtins)
    attrNames
    concatMap
    concatStringsSep
    filter
    hashFile
    hashString
    listToAttrs
    match
    readDir
    sort
    substring
    ;

  isHidden = name: substring 0 1 name == ".";
  isLitter =
    path: name: type:
    match tree.litter name != null
    || (isHidden name && substring 0 5 path != "site/")
    || (type == "symlink" && match tree.resultLinks name != null);

  # `sha256 modules/tor.nix`, for each file below.
  linesOf =
    path: name: type:
    if isLitter path name type then
      [ ]
    else if type == "directory" then
      concatMap (child: linesOf "${path}/${child.name}" child.name child.type) (entriesOf (root + "/${path}"))
    else
      [ "${if type == "symlink" then "link" else hashFile "sha256" (root + "/${path}")} ${path}\n" ];

  entriesOf =
    folder:
    let
      types = readDir folder;
    in
    map (name: {
      inherit name;
      type = types.${name};
    }) (attrNames types);

  partOf =
    { name, type }:
    {
      inherit name;
      lines = linesOf name name type;
    };
in
listToAttrs (
  map (part: {
    inherit (part) name;
    value = substring 0 16 (hashString "sha256" (concatStringsSep "" (sort (a: b: a < b) part.lines)));
  }) (
    filter (part: part.lines != [ ]) (
      map partOf (filter (entry: match tree.notInImages entry.name == null) (entriesOf root))
    )
  )
)
