# What a disk was made for, on one line that is found on the disk without reading its file system: a disk that was built
# elsewhere (`image.vhd`) is held against what is declared by it (components/image/disk/made-for.ts).
#
# A stack (from lib/stacks.nix)  ->  text
{ name, directory, facts }:
let
  sealed = if facts.frontEnd or null == null then directory else directory + "/../${facts.frontEnd.of}";
  digestOf = file: builtins.hashFile "sha256" file;
  inherit (builtins) mapAttrs substring toJSON;
  mark = {
    stack = name;
    facts = digestOf (directory + "/facts.json");
    # Of many secrets, too, it stays within one block of a file system.
    secrets = mapAttrs (_: secret: substring 0 16 (digestOf (sealed + "/${secret.sealedFile}"))) facts.secrets;
  };
  # A machine that takes its systems in place is not held against its disk, and a comment makes it no other system: what
  # counts is by what it finds its systems, and believes them.
  more =
    if facts.update or null == null then
      { tree = import ./guest-tree.nix ../.; }
    else
      {
        trust = {
          inherit (facts.update) containerUrl publicKey;
          inherit (facts.identity) clientId;
          ${if facts.dataDisk or false then "dataDisk" else null} = true;
        };
      };
in
# In two pieces, so that this text itself is none.
"sealed-onion" + "-made-for: " + toJSON (mark // more) + "\n"
