# A disk of the stack that outlives its machines, for what must not be lost with one of them: tor's state (its entry
# guards), and what other services keep. Empty, it is formatted once (scripts/mount-data-disk.sh); whatever else is on it
# stays as it is, and what is kept on it does not start.
#
#   sealed-onion.dataDisk = { enable = true; keep."/var/lib/app" = [ "app.service" ]; };
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  cfg = config.sealed-onion.dataDisk;
  inherit (lib) mkOption types;
  folders = lib.attrNames cfg.keep;
  device = "${utils.escapeSystemdPath cfg.device}.device";
  users = lib.unique (lib.concatLists (lib.attrValues cfg.keep));
  serviceName = lib.removeSuffix ".service";

  mount = import ../lib/script.nix { inherit lib pkgs; } "mount-data-disk" [
    pkgs.coreutils
    pkgs.diffutils
    pkgs.e2fsprogs
    pkgs.gnused
    pkgs.util-linux
  ];
in
{
  options.sealed-onion.dataDisk = {
    enable = lib.mkEnableOption "the data disk that is attached to this machine";
    device = mkOption {
      type = types.str;
      default = "/dev/disk/sealed-onion-data";
      description = "The disk. By default the one that Azure attaches as LUN 0, wherever Linux finds it.";
    };
    folder = mkOption {
      type = types.str;
      default = "/data";
      description = "Where it is mounted.";
    };
    keep = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      example."/var/lib/app" = [ "app.service" ];
      description = "Folders that are on it, and the services that wait for each.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = map (unit: {
      assertion = config.systemd.services ? ${serviceName unit};
      message = "sealed-onion.dataDisk.keep names ${unit}, which nothing here defines: correct the name, or define systemd.services.${serviceName unit}";
    }) users;

    sealed-onion.dataDisk.keep = lib.mkIf config.services.tor.enable { "/var/lib/tor" = [ "tor.service" ]; };

    # Azure's controller for data disks, by SCSI and by NVMe (where the disk of LUN 0 comes after the OS disk).
    # https://learn.microsoft.com/azure/virtual-machines/linux/azure-to-guest-disk-mapping
    services.udev.extraRules = ''
      SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ATTRS{device_id}=="{f8b3781b-1e82-4818-a1c3-63d806ec15bb}", ENV{SEALED_ONION_DATA}="scsi"
      SUBSYSTEM=="block", ENV{SEALED_ONION_DATA}=="scsi", KERNELS=="*:*:*:0", SYMLINK+="disk/sealed-onion-data"
      SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", KERNEL=="nvme*n2", ATTRS{model}=="MSFT NVMe Accelerator v1.0*", SYMLINK+="disk/sealed-onion-data"
    '';

    systemd.services = {
      data-disk = {
        description = "Mount the Data Disk";
        # With the disk, which may be attached while the machine runs.
        wantedBy = [ device ];
        bindsTo = [ device ];
        after = [ device ];
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = lib.escapeShellArgs (
            [
              (lib.getExe mount)
              cfg.device
              cfg.folder
            ]
            ++ folders
          );
          # Passed over while it was not there: started now, as far as nothing else is missing.
          ExecStartPost = "-${lib.escapeShellArgs (
            [
              "${config.systemd.package}/bin/systemctl"
              "--no-block"
              "start"
            ]
            ++ users
          )}";
          TimeoutStartSec = "10min"; # e2fsck of a large disk
          IPAddressDeny = "any";
          NoNewPrivileges = true;
          UMask = "0077";
        };
      };
    }
    // lib.genAttrs (map serviceName users) (name: {
      wants = [ "data-disk.service" ];
      after = [ "data-disk.service" ];
      unitConfig.ConditionPathIsMountPoint = lib.attrNames (lib.filterAttrs (_: lib.elem "${name}.service") cfg.keep);
    });
  };
}
