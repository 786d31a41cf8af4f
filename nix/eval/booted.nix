# The machine that the rehearsal boots: an ordinary stack's, by its folder (facts.json and sealed files). `check:nix`
# instantiates it and takes the texts of units, scripts and configuration files out of the derivations.
{
  nixpkgs,
  sops-nix,
  stack,
}:
let
  lib = import (nixpkgs + "/lib");
  machine = import ../lib/machine.nix {
    evalConfig = import (nixpkgs + "/nixos/lib/eval-config.nix");
    sopsModule = sops-nix + "/modules/sops";
    hosts = ./hosts;
  } ((import ../lib/facts.nix).readStack "rehearsal" stack);
  inherit (machine) config options;

  inModules = definition: lib.hasPrefix "${toString ../modules}/" (toString definition.file);
  ours = option: lib.concatMap (definition: definition.value) (lib.filter inModules option.definitionsWithLocations);
  oursByName =
    kind:
    map (name: "${name}.${kind}") (
      lib.concatMap (definition: lib.attrNames definition.value) (
        lib.filter inModules options.systemd."${kind}s".definitionsWithLocations
      )
    );
  mountName = mount: "${lib.replaceStrings [ "/" ] [ "-" ] (lib.removePrefix "/" mount.where)}.mount";

  # What NixOS itself brings for our modules' options, and Debian has otherwise.
  upstream = [
    "nftables.service"
    "sshd.service"
    "sshd-keygen.service"
    "systemd-networkd-wait-online.service"
  ];
  # Hyper-V's clock is not there to be read.
  isThere =
    name: name != "chronyd.service" && config.systemd.units ? ${name} && config.systemd.units.${name}.enable;
  names = lib.filter isThere (
    lib.unique (
      lib.concatMap oursByName [
        "path"
        "service"
        "socket"
        "target"
        "timer"
      ]
      ++ map mountName (ours options.systemd.mounts)
      ++ upstream
    )
  );

  files = lib.optional config.services.openssh.enable "ssh/sshd_config" ++ [
    "sealed-onion/targets.json"
    "sudoers"
    "systemd/journald.conf"
    "systemd/resolved.conf"
  ];
  people = lib.filterAttrs (
    name: user:
    user.isNormalUser
    || lib.elem name [
      "sshd"
      "tor"
    ]
  ) config.users.users;
in
{
  inherit (config.system.build) toplevel;

  about = {
    # Texts of NixOS itself differ with it.
    inherit (lib.trivial) release;
    units = lib.genAttrs names (name: {
      inherit (config.systemd.units.${name})
        text
        wantedBy
        requiredBy
        overrideStrategy
        ;
    });
    networks = lib.mapAttrs (_: unit: unit.text) config.systemd.network.units;
    files = lib.genAttrs files (name: "${config.environment.etc.${name}.source}");
    users = lib.mapAttrs (_: user: { inherit (user) group extraGroups isNormalUser; }) people;
  };
}
