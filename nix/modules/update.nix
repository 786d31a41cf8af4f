# Takes a new system while this machine runs: its user data says which one, signed; the store paths come from a container
# of its stack's account, with its identity's right to read that one container.
#
#   sealed-onion.update = { enable = true; containerUrl = "https://…/systems"; publicKey = "sealed-onion-dev:…"; };
#
# A system that does not serve in time is left again (scripts/update-system.sh), and so is a kernel that does not boot, where
# GRUB boots it (scripts/boot-once.sh). At boot, secrets are opened only once it
# is known what this machine is to run: a new machine of an old image serves nothing old.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.update;
  inherit (lib) mkOption types;
  ruled = import ../lib/ruled-types.nix lib;

  update = import ../lib/update-program.nix { inherit config lib pkgs; };
in
{
  imports = [ ./sealed-secrets.nix ];

  options.sealed-onion.update = {
    enable = lib.mkEnableOption "taking new systems while this machine runs";
    stack = mkOption {
      type = ruled.stack;
      description = "The stack whose systems this machine takes.";
    };
    containerUrl = mkOption {
      type = types.strMatching "https://[a-z0-9]{3,24}\\.blob\\.[a-z.]+/[a-z0-9-]+";
      example = "https://sodev1a2b3c4d.blob.core.windows.net/systems";
      description = "The container that the machine's identity may read.";
    };
    publicKey = mkOption {
      type = ruled.nixPublicKey;
      example = "sealed-onion-dev:3JpEZ4S5bBDpBa8wEwyxgIxBa7KYWTLvk6nQ7dVgSyA=";
      description = "What signs this machine's systems, in the form of `nix.settings.trusted-public-keys`.";
    };
    reboot = mkOption {
      type = types.enum [
        "auto"
        "manual"
      ];
      default = "manual";
      description = "Whether the machine reboots by itself into a system with another kernel or initrd.";
    };
    keep = mkOption {
      type = types.ints.unsigned;
      default = 2;
      description = "How many systems before the current one stay.";
    };
    patience = mkOption {
      type = types.ints.positive;
      default = 300;
      description = "Seconds that a new system has until it must serve.";
    };
    interval = mkOption {
      type = types.str;
      default = "2s";
      description = "How often user data is looked at (a systemd time span).";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = config.nix.enable;
        message = "sealed-onion.update takes systems by Nix: set nix.enable = true";
      }
    ];

    # No daemon: it is root that takes systems, and nobody else that builds.
    nix.enable = lib.mkDefault true;
    systemd.services.nix-daemon.enable = false;
    systemd.sockets.nix-daemon.enable = false;

    # Secrets stay closed until it is known that this is the system to run.
    systemd.services.sops-install-secrets = lib.mkIf (config.sealed-onion.secrets != { }) {
      unitConfig.ConditionPathExists = "/run/sealed-onion-update/known";
    };

    systemd.timers.update-system = {
      description = "Look for a New System in User Data";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = "1s";
        OnUnitInactiveSec = cfg.interval;
        AccuracySec = "1s";
      };
    };

    # By its timer alone: a unit of the boot would wait for what its own switch starts.
    systemd.services.update-system = {
      description = "Bring This Machine to the System that User Data Asks For";
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      # It is what switches: the switch must not end it.
      restartIfChanged = false;
      unitConfig.X-StopOnRemoval = false;
      environment = {
        HOME = "/root";
        SEALED_ONION_STACK = cfg.stack;
        SEALED_ONION_PUBLIC_KEY = cfg.publicKey;
        SEALED_ONION_SYSTEMS = cfg.containerUrl;
        SEALED_ONION_KEEP = toString cfg.keep;
        SEALED_ONION_REBOOT = cfg.reboot;
        SEALED_ONION_PATIENCE = toString cfg.patience;
      }
      // lib.optionalAttrs config.boot.loader.grub.enable {
        SEALED_ONION_GRUB = "/boot/grub";
      }
      // lib.optionalAttrs (config.sealed-onion.keyVault.clientId != null) {
        AZURE_CLIENT_ID = config.sealed-onion.keyVault.clientId;
      };
      serviceConfig = {
        Type = "oneshot";
        ExecStart = lib.getExe update;
        RuntimeDirectory = "sealed-onion-update";
        RuntimeDirectoryMode = "0700";
        RuntimeDirectoryPreserve = true;
        StateDirectory = "sealed-onion";
        StateDirectoryMode = "0700";
        TimeoutStartSec = "2h"; # a whole system over a slow line
        # It looks every few seconds: the journal has what it does, not that it looked.
        SyslogLevel = "notice";
        LogLevelMax = "notice";
        # A switch writes the whole machine: a sandbox would only be in its way.
        NoNewPrivileges = true;
        RestrictAddressFamilies = [
          "AF_UNIX"
          "AF_INET"
          "AF_INET6"
          "AF_NETLINK"
        ];
      };
    };
  };
}
