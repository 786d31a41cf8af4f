# What `npm run check:nix` needs to make the fixtures without building anything: the scripts, and the store paths in them
# that it puts its own folders for. So a mistake in them is found where no machine can be booted.
{ nixpkgs, bundle }:
let
  fixtures = import ./fixtures.nix {
    pkgs = import nixpkgs { system = "x86_64-linux"; };
    loopbackAzure = bundle;
  };
  inherit (fixtures) authority sealing sealed;
  text = builtins.unsafeDiscardStringContext;
in
{
  authority = {
    path = text authority.outPath;
    script = text authority.buildCommand;
  };
  sealing = {
    path = text sealing.outPath;
    text = text sealing.text;
  };
  sealed.script = text sealed.buildCommand;

  # What has to come out.
  inherit (fixtures)
    hostname
    token
    tokenRotated
    clientId
    keyUrl
    ;
}
