{
  description = "In the place of nix/flake.nix while a machine is rehearsed: the same output, without nixpkgs";

  outputs = _: {
    packages.x86_64-linux.system-rehearsal = import ./system.nix;
  };
}
