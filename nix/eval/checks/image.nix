{ config, lib }:
let
  packages = map lib.getName config.environment.systemPackages;
in
{
  "the image is for Azure's second generation" = config.virtualisation.azureImage.vmGeneration == "v2";
  "the disk has a size of whole MiB, known before the build" =
    builtins.isInt config.virtualisation.diskSize && config.virtualisation.diskSize > 0;
  "the root grows to the disk it is put on" = config.boot.growPartition && config.fileSystems."/".autoResize;
  "the accelerated interface is driven" = config.virtualisation.azure.acceleratedNetworking;
  "the kernel talks on the serial console" = lib.elem "console=ttyS0" config.boot.kernelParams;
  "the address comes by DHCP from Azure, over networkd" =
    config.networking.useNetworkd && config.systemd.network.networks."50-azure".networkConfig.DHCP == "ipv4";
  "the time comes from the host" =
    !config.services.timesyncd.enable
    && config.services.chrony.enable
    && config.services.chrony.servers == [ ]
    && lib.hasInfix "/dev/ptp_hyperv" config.services.chrony.extraConfig;
  "there is no documentation and no font" =
    !config.documentation.enable && !config.documentation.man.enable && !config.fonts.fontconfig.enable;
  "nobody's path leads to Perl or Python" =
    lib.intersectLists packages [
      "perl"
      "python3"
      "nixos-rebuild"
      "nixos-rebuild-ng"
    ] == [ ];
  "the state's version is fixed" = config.system.stateVersion == "26.05";
}
