# A machine's units as systemd-analyze reads them, and which of them are ours to confine.
{ lib, machine }:
let
  inherit (machine) config options;
  definedIn =
    folder:
    lib.concatMap (definition: lib.attrNames definition.value) (
      lib.filter (
        definition: lib.hasPrefix "${toString folder}/" (toString definition.file)
      ) options.systemd.services.definitionsWithLocations
    );
  units = lib.filterAttrs (_: unit: unit.enable && unit ? text) config.systemd.units;
in
{
  # Every unit's text, with what wants and requires it.
  units = lib.mapAttrs (_: unit: {
    inherit (unit)
      text
      wantedBy
      requiredBy
      overrideStrategy
      ;
  }) units;

  # Every service that a module of ours defines or adds to, but for those of the machine's own user (hosts/), the clock's,
  # which upstream confines and we only have tried again, and sshd's: it gives shells, and only waits for its key by us.
  confined = lib.filter (name: units ? ${name}) (
    map (name: "${name}.service") (
      lib.subtractLists (
        definedIn ./hosts
        ++ [
          "chronyd"
          "sshd"
        ]
      ) (lib.unique (definedIn ../modules))
    )
  );
}
