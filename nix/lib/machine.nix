# A stack ({ name; directory; facts; }, from lib/stacks.nix)  ->  its evaluated NixOS configuration.
#
# `evalConfig` is nixpkgs.lib.nixosSystem, or nixos/lib/eval-config.nix where there are no flakes (eval/). `hosts` is the
# folder of what users add to single machines: <stack>.nix, an ordinary NixOS module, where there is one.
{
  evalConfig,
  sopsModule,
  hosts,
}:
stack:
let
  own = hosts + "/${stack.name}.nix";
in
evalConfig {
  system = null; # host.nix says it, as a module can
  modules = [
    sopsModule
    ../host.nix
    (import ./stack-module.nix stack)
  ]
  ++ (if builtins.pathExists own then [ own ] else [ ]);
}
