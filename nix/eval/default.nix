# What `npm run check:nix` evaluates for real, wherever a nixpkgs and a sops-nix are given: the example stack, with
# everything on, and the plain one, with every default; sentences that must hold of them and of variants, what the rehearsal's guest must follow (golden), and the rendered units.
{ nixpkgs, sops-nix }:
let
  lib = import (nixpkgs + "/lib");
  stacks = import ../lib/stacks.nix ./stacks;
  machineOf =
    stack: modules:
    import ../lib/machine.nix {
      evalConfig =
        arguments: import (nixpkgs + "/nixos/lib/eval-config.nix") (arguments // { modules = arguments.modules ++ modules; });
      sopsModule = sops-nix + "/modules/sops";
      hosts = ./hosts;
    } stack;
  machineWith = machineOf stacks.example;
  example = machineWith [ ];

  failures = machine: map (check: check.message) (lib.filter (check: !check.assertion) machine.config.assertions);

  sentences =
    config:
    lib.concatMapAttrs
      (subject: file: lib.mapAttrs' (name: lib.nameValuePair "${subject}: ${name}") (import file { inherit config lib; }))
      {
        boot-agent = ./checks/boot-agent.nix;
        hardening = ./checks/hardening.nix;
        image = ./checks/image.nix;
        onion-service = ./checks/onion-service.nix;
        sealed-secrets = ./checks/sealed-secrets.nix;
        vault-agent = ./checks/vault-agent.nix;
      };
in
{
  example = {
    # { "<subject>: <sentence>" = bool; }
    holds = sentences example.config;

    assertions = failures example;
    inherit (example.config) warnings;

    golden = import ./golden.nix {
      inherit (example) config;
      inherit lib;
    };

    inherit
      (import ./units.nix {
        inherit lib;
        machine = example;
      })
      units
      confined
      ;

    image = example.config.system.build.azureImage.drvPath;
  };

  # The units that only the other flavour of Vault's agent has.
  openbao = import ./units.nix {
    inherit lib;
    machine = machineWith [ { sealed-onion.vaultAgent.flavour = "openbao"; } ];
  };

  # { "<sentence>" = bool; } of a stack with every default.
  plain = import ./plain.nix {
    inherit lib;
    machine = machineOf stacks.plain [ ];
  };

  # The units of one replica's machine and of its front end's, and sentences about them.
  fleet = import ./fleet.nix {
    inherit lib;
    replica = machineOf stacks.fleet [ ];
    frontEnd = machineOf stacks.fleet-front-end [ ];
    alone = machineOf stacks.plain [ ];
  };

  # { "<sentence>" = bool; } of the example with some switches turned the other way.
  variants = import ./variants.nix { inherit lib machineWith; } // import ./arm.nix { inherit lib machineOf stacks; } // import ./in-place.nix { inherit lib machineOf stacks; };

  # { "<sentence>" = bool; } of the modules in somebody else's machine.
  alone = import ./alone.nix {
    inherit lib nixpkgs;
    sopsModule = sops-nix + "/modules/sops";
  };

  # { <variant> = { expected; failures; } }: a mistake and the exact words it is answered with.
  refusals = lib.mapAttrs (_: variant: {
    inherit (variant) expected;
    failures = failures (machineWith [ variant.module ]);
  }) (import ./refusals.nix);

  # The VM tests, evaluated whole and not built: { <test> = { derivation; script; }; }, the script being their driver's Python.
  tests =
    lib.mapAttrs
      (_: test: {
        derivation = test.drvPath;
        script = test.config.testScriptString;
      })
      (
        lib.filterAttrs (name: _: lib.hasPrefix "vm-" name) (
          import ../tests {
            pkgs = import nixpkgs { system = "x86_64-linux"; };
            sopsModule = sops-nix + "/modules/sops";
            machines = { };
            exampleMachine = example;
          }
        )
      );
}
