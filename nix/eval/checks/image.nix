{ config, lib }:
let
  packages = map lib.getName config.environment.systemPackages;
in
{
  "no Nix runs in it" = !config.nix.enable && !(config.systemd.services ? nix-daemon);
  "the image is for Azure's second generation" = config.virtualisation.azureImage.vmGeneration == "v2";
  "the disk has a size of whole MiB, known before the build" =
    builtins.isInt config.virtualisation.diskSize && config.virtualisation.diskSize > 0;
  "the root grows to the disk it is put on" = config.boot.growPartition && config.fileSystems."/".autoResize;
  "the accelerated interface is driven" = config.virtualisation.azure.acceleratedNetworking;
  "NVMe disks, which Hyper-V hands over as PCI devices, are driven before the root is there" =
    lib.elem "nvme" config.boot.initrd.availableKernelModules
    && lib.elem "pci-hyperv" config.boot.initrd.availableKernelModules;
  "the kernel talks on the serial console" = lib.elem "console=ttyS0" config.boot.kernelParams;
  "the address comes by DHCP from Azure, over networkd" =
    config.networking.useNetworkd && config.systemd.network.networks."50-azure".networkConfig.DHCP == "ipv4";
  "no boot waits for an IPv6 address, which Azure does not give" =
    config.systemd.network.networks."50-azure".networkConfig.LinkLocalAddressing == "no"
    && !config.systemd.network.networks."50-azure".networkConfig.IPv6AcceptRA;
  "the time comes from the host" =
    !config.services.timesyncd.enable
    && config.services.chrony.enable
    && config.services.chrony.servers == [ ]
    && lib.hasInfix "/dev/ptp_hyperv" config.services.chrony.extraConfig;
  "nobody is waited for when the machine starts" = config.boot.loader.timeout <= 1;
  "the clock is never given up" =
    config.systemd.services.chronyd.startLimitIntervalSec == 0
    && config.systemd.services.chronyd.serviceConfig.Restart == "on-failure";
  "there is no documentation and no font" =
    !config.documentation.enable && !config.documentation.man.enable && !config.fonts.fontconfig.enable;
  "nobody's path leads to Perl or Python" =
    lib.intersectLists packages [
      "perl"
      "python3"
      "nixos-rebuild"
      "nixos-rebuild-ng"
    ] == [ ];
  # What makes an ephemeral OS disk safe, and a machine replaceable by the next image.
  "nothing is mounted but the image's own disk, and there is no swap" =
    lib.attrNames config.fileSystems == [
      "/"
      "/boot"
    ]
    && config.swapDevices == [ ]
    && config.boot.tmp.useTmpfs;
  "what is opened lies in memory, and is opened again at each boot" =
    lib.any (mount: mount.where == "/run/secrets.d" && mount.type == "ramfs") config.systemd.mounts
    && lib.all (onion: lib.hasPrefix "/run/" onion.path) (lib.attrValues config.services.tor.relay.onionServices)
    && !(config.systemd.services.sops-install-secrets.unitConfig ? ConditionFirstBoot);
  "no boot waits for their memory" = lib.any (
    mount: mount.where == "/run/secrets.d" && !mount.unitConfig.DefaultDependencies
  ) config.systemd.mounts;
  "a disk that begins empty has what tor needs made by systemd" = lib.elem "tor" (
    lib.toList config.systemd.services.tor.serviceConfig.StateDirectory
  );
  "no Perl runs when the machine starts" =
    !(lib.hasInfix "perl" config.system.activationScripts.script)
    && config.system.activationScripts.users == ""
    && config.services.userborn.enable
    && config.system.etc.overlay.enable;
  "what is written to /etc stays: SSH's host keys, the machine's id" = config.system.etc.overlay.mutable;
  "users are there before the secrets that are theirs" =
    lib.elem "userborn.service" config.systemd.services.sops-install-secrets.after
    && lib.elem "sysinit.target" config.systemd.services.userborn.before;
  "the state's version is fixed" = config.system.stateVersion == "26.05";
}
