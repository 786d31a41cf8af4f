# A stack whose machine has an Arm processor, as its facts say.
{
  lib,
  machineOf,
  stacks,
}:
let
  inherit (stacks) plain;
  guest = plain.facts.guest // {
    system = "aarch64-linux";
  };
  inherit (machineOf (plain // { facts = plain.facts // { inherit guest; }; }) [ ]) config;
in
{
  "an Arm machine is built for Arm" = config.nixpkgs.hostPlatform.system == "aarch64-linux";
  "its image evaluates, and is another one" = lib.hasSuffix ".drv" config.system.build.azureImage.drvPath;
  "its kernel talks on Arm's serial console" = lib.elem "console=ttyAMA0" config.boot.kernelParams;
  "its boot loader is for UEFI on Arm" =
    config.boot.loader.grub.efiSupport && config.boot.loader.grub.efiInstallAsRemovable;
  "Hyper-V's bus, network and disks are driven before the root is there" = lib.all (
    name: lib.elem name config.boot.initrd.kernelModules
  ) [ "hv_vmbus" "hv_netvsc" "hv_storvsc" ];
  "every assertion holds on Arm" = lib.all (check: check.assertion) config.assertions;
}
