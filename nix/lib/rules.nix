# What the program (components/config/rules.ts) asks for as well, from the one file that both read, rules.json. A pattern
# there is one for both: an extended regular expression of POSIX that JavaScript reads alike.
let
  shared = builtins.fromJSON (builtins.readFile ./rules.json);
in
{
  inherit (shared)
    defaults
    firstSitePort
    takenRunFolders
    tree
    vaultAgentListener
    ;

  names = builtins.attrNames shared.rules;

  says = rule: shared.rules.${rule}.says;

  # rule -> anything -> whether it is a text that the rule takes as a whole
  follows =
    rule: text:
    let
      inherit (shared.rules.${rule}) pattern longest;
    in
    builtins.isString text && builtins.stringLength text <= longest && builtins.match pattern text != null;
}
