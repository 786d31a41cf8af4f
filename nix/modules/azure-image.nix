# A small Gen2 image for Azure without Azure's Python agents: upstream's image, less what an onion service never runs.
{
  lib,
  modulesPath,
  pkgs,
  ...
}:
{
  imports = [
    "${modulesPath}/virtualisation/azure-image.nix"
    "${modulesPath}/profiles/minimal.nix"
    "${modulesPath}/profiles/headless.nix"
  ];

  config = {
    virtualisation = {
      azure.acceleratedNetworking = true;
      azureImage.vmGeneration = "v2";
      # A number, not "auto": upstream's "auto" grows the file after the VHD's footer was written, and Azure then finds
      # no footer. Zeros cost nothing to upload, and the root grows to the disk at boot.
      diskSize = lib.mkDefault 4096;
    };

    # Both are Python, and both run what the platform sends them. modules/boot-agent.nix does what is left to do.
    services.waagent.enable = lib.mkForce false;
    services.cloud-init.enable = lib.mkForce false;
    services.cloud-init.network.enable = lib.mkForce false;
    systemd.services.cloud-config.enable = lib.mkForce false;

    # Newer sizes have NVMe disks, which are PCI devices that Hyper-V hands over: both drivers have to be there before the
    # root is. Arm machines have another serial console.
    boot.initrd.availableKernelModules = [
      "nvme"
      "pci-hyperv"
    ];
    boot.kernelParams = lib.mkIf pkgs.stdenv.hostPlatform.isAarch64 [ "console=ttyAMA0" ];

    # Upstream's image has SSH open to all. sealed-onion.ssh.enable (onion-service/ssh.nix) has it on loopback;
    # one that is open all the same takes lib.mkForce.
    services.openssh.enable = lib.mkOverride 90 false;

    # The network came from cloud-init's module: one DHCP client for the synthetic interface, IPv4 as Azure gives it.
    # networkd also keeps the lease's option 245, where afterburn finds the wire server's address.
    networking = {
      useNetworkd = true;
      useDHCP = false;
    };
    systemd.network = {
      networks."50-azure" = {
        matchConfig.Driver = "hv_netvsc";
        networkConfig = {
          DHCP = "ipv4";
          # The network has none of IPv6; with an address of its own kind each boot would wait a second for it.
          LinkLocalAddressing = "no";
          IPv6AcceptRA = false;
        };
        dhcpV4Config.UseDomains = false;
        linkConfig.RequiredForOnline = "routable";
      };
      # The accelerated interface is a slave of the synthetic one and never gets an address: do not wait for it.
      wait-online = {
        anyInterface = true;
        timeout = 20; # what waits for the network tries by itself, and says on the console what is missing
      };
    };

    # Hyper-V hands the host's clock to the guest: no packet leaves the machine to learn the time.
    services.timesyncd.enable = false;
    networking.timeServers = [ ];
    services.chrony = {
      enable = true;
      servers = [ ];
      extraConfig = ''
        refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0 stratum 2
        makestep 1.0 -1
      '';
    };
    # Without its clock device chronyd ends at once, and systemd would give it up for good within a second.
    systemd.services.chronyd = {
      startLimitIntervalSec = 0;
      serviceConfig = import ../lib/retry.nix;
    };

    # Nothing that must survive is written: an ephemeral OS disk, or a machine replaced by the next image, loses nothing.
    # The temporary disk Azure adds is left alone, and there is no swap on it that a secret could reach.
    swapDevices = lib.mkForce [ ];
    zramSwap.enable = lib.mkForce false;
    boot.loader.timeout = lib.mkForce 1; # seconds, for a person at the serial console
    boot.tmp.useTmpfs = true;
    services.journald.extraConfig = ''
      SystemMaxUse=200M
    '';

    # Users and /etc without Perl: at each boot two Perl programs would write them. /etc is an image in the store, with
    # what is written there, SSH's host keys and the machine's id, on the disk over it. What is left of Perl is GRUB's
    # installer, which only a switch runs.
    boot.initrd.systemd.enable = true;
    services.userborn.enable = true;
    system.etc.overlay.enable = true;

    # Nobody builds here, so there is no daemon and no binary cache to trust. Weaker than any other word on it: a machine
    # that is updated in place (update.nix), or one with a builder's shell, has Nix.
    nix.enable = lib.mkOverride 1100 false;

    # What the minimal profile leaves: the installer's tools (Python), `less` scripts (Perl), sound, fonts.
    system.disableInstallerTools = true;
    programs.less.lessopen = null;
    fonts.fontconfig.enable = false;
  };
}
