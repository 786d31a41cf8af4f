# What `nix flake check path:./nix` runs: every stack's evaluation, the files' form, and one virtual machine test a module.
#
# The tests' Azure is the project's own loopback Azure, one implementation for both. A flake at nix/ does not see what
# lies beside it, so `npm run check:nix -- --bundle` puts the program, as one file, into tests/.bundle/ (not committed).
{
  pkgs,
  sopsModule,
  machines, # the stacks' and the example's, by name
  exampleMachine,
}:
let
  inherit (pkgs) lib;
  bundle = ./.bundle/azure.cjs;
  loopbackAzure =
    if lib.pathExists bundle then
      bundle
    else
      pkgs.runCommand "loopback-azure-missing" { } ''
        echo "the tests' Azure is not there: type npm ci && npm run check:nix -- --bundle" >&2
        exit 1
      '';

  fixtures = import ./fixtures.nix { inherit pkgs loopbackAzure; };
  test =
    file:
    pkgs.testers.runNixOSTest {
      imports = [ file ];
      # The Vault of one test is unfree, which its node says itself.
      node.pkgsReadOnly = false;
      _module.args = {
        inherit fixtures;
        azureNode = import ./azure-node.nix { inherit fixtures loopbackAzure; };
        guestNode = import ./guest-node.nix { inherit fixtures sopsModule; };
        inherit exampleMachine;
        nowhere = lib.readFile ./nowhere.py;
      };
    };

  source = lib.cleanSource ../.;
  check =
    name: package: command:
    pkgs.runCommand name { nativeBuildInputs = [ package ]; } ''
      cd ${source}
      ${command}
      touch $out
    '';
in
lib.mapAttrs' (name: machine: {
  name = "evaluates-${name}";
  # Evaluated wholly, built not at all: the path is a text without a claim on what it names.
  value = pkgs.writeText "evaluates-${name}" (
    builtins.unsafeDiscardStringContext machine.config.system.build.azureImage.drvPath
  );
}) machines
// {
  format = check "format" pkgs.nixfmt "find . -name '*.nix' -exec nixfmt --width=120 --check {} +";
  dead-code = check "dead-code" pkgs.deadnix "deadnix --fail .";
  lints = check "lints" pkgs.statix "statix check .";

  vm-azure-image = test ./azure-image.nix;
  vm-boot-agent = test ./boot-agent.nix;
  vm-data-disk = test ./data-disk.nix;
  vm-front-end = test ./front-end.nix;
  vm-hardening = test ./hardening.nix;
  vm-imds = test ./imds.nix;
  vm-logs = test ./logs.nix;
  vm-onion-service = test ./onion-service.nix;
  vm-replica = test ./replica.nix;
  vm-sealed-secrets = test ./sealed-secrets.nix;
  vm-status = test ./status.nix;
  vm-update = test ./update.nix;
  vm-vault-agent = test ./vault-agent.nix;
}
