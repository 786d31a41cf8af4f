# Hyper-V leaves random bytes for its guest in the ACPI table OEM0. Mixed into the kernel's pool before anything asks for
# a key. The kernel credits nothing for it, so a hostile host gains nothing either.
# https://github.com/Azure/WALinuxAgent/issues/1946
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.bootAgent;
  table = "/sys/firmware/acpi/tables/OEM0";
in
{
  options.sealed-onion.bootAgent.entropy.enable = lib.mkEnableOption "seeding /dev/random from Hyper-V's table OEM0";

  config = lib.mkIf (cfg.enable && cfg.entropy.enable) {
    systemd.services.azure-entropy = {
      description = "Seed the Random Pool from Hyper-V";
      wantedBy = [ "sysinit.target" ];
      before = [
        "sysinit.target"
        "shutdown.target"
      ];
      conflicts = [ "shutdown.target" ];
      unitConfig = {
        DefaultDependencies = false;
        ConditionPathExists = table;
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = lib.getExe' pkgs.coreutils "cat";
        StandardInput = "file:${table}";
        StandardOutput = "file:/dev/random";
        PrivateNetwork = true;
      }
      // import ../../lib/confinement.nix {
        addressFamilies = [ "none" ];
        addresses = [ ];
      };
    };
  };
}
