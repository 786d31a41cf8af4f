{
  description = "NixOS machines in Azure that open their own secrets and serve Tor onion services";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    sops-nix.url = "github:Mic92/sops-nix";
    sops-nix.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      self,
      nixpkgs,
      sops-nix,
    }:
    let
      inherit (nixpkgs) lib;
      system = "x86_64-linux"; # of the tests and the formatter
      # A stack's image is for the processor that its machine has, and is built by a builder of that system.
      # Of each stack its image, and its system, which a machine that runs takes in place.
      packagesFor =
        system:
        lib.concatMapAttrs (name: configuration: {
          "image-${name}" = configuration.config.system.build.azureImage;
          "system-${name}" = configuration.config.system.build.toplevel;
        }) (lib.filterAttrs (name: _: stacks.${name}.facts.guest.system == system) self.nixosConfigurations);
      pkgs = nixpkgs.legacyPackages.${system};
      machine =
        hosts:
        import ./lib/machine.nix {
          inherit hosts;
          evalConfig = lib.nixosSystem;
          sopsModule = sops-nix.nixosModules.sops;
        };
      stacks = import ./lib/stacks.nix ./stacks;
      # Evaluated and tested before there is any deployment.
      example = machine ./eval/hosts (import ./lib/stacks.nix ./eval/stacks).example;
    in
    {
      nixosModules = import ./lib/nixos-modules.nix sops-nix.nixosModules.sops;

      nixosConfigurations = lib.mapAttrs (_: machine ./hosts) stacks;

      packages = {
        aarch64-linux = packagesFor "aarch64-linux";
        x86_64-linux = packagesFor "x86_64-linux" // {
          example-image = example.config.system.build.azureImage;
          example-system = example.config.system.build.toplevel;
        };
      };

      # `nix develop ./nix`: everything that a deployment, a rehearsal and the tests run.
      devShells.${system}.default = pkgs.mkShellNoCC {
        packages = [
          pkgs.age
          pkgs.azure-cli
          pkgs.curl
          pkgs.gnupg
          pkgs.jq
          pkgs.mkp224o
          pkgs.nodejs_22
          pkgs.openssh
          pkgs.pass
          pkgs.pulumi-bin
          pkgs.qemu-utils
          pkgs.shellcheck
          pkgs.sops
          pkgs.tor
          pkgs.zstd
        ];
      };

      # The width of the whole repository.
      formatter.${system} = pkgs.writeShellApplication {
        name = "format-nix";
        runtimeInputs = [ pkgs.nixfmt ];
        text = ''exec nixfmt --width=120 "$@"'';
      };

      checks.${system} = import ./tests {
        inherit pkgs;
        sopsModule = sops-nix.nixosModules.sops;
        machines = {
          inherit example;
        }
        // self.nixosConfigurations;
        exampleMachine = example;
      };
    };
}
