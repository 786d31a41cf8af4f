# The rules of rules.json as types of options: { path = …; mode = …; }, each with the words of its rule.
lib:
let
  rules = import ./rules.nix;
in
lib.genAttrs rules.names (
  rule: lib.types.addCheck lib.types.str (rules.follows rule) // { description = rules.says rule; }
)
