# The unit that opens the secrets: sops-nix's own, moved after the network, never giving up, and confined.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion;
  inherit (lib) mkForce mkOption types;

  programs = import ../../lib/secret-programs.nix {
    inherit lib pkgs;
    installer = config.sops.package;
  };
  open = import ../../lib/script.nix { inherit lib pkgs; } "open-secrets" [
    config.systemd.package
    pkgs.coreutils
    pkgs.gnused
    pkgs.jq
    pkgs.util-linux
    programs.explain-sealed
    programs.place-secrets
    programs.say-change
  ];
in
{
  options.sealed-onion.unseal.retry = {
    first = mkOption {
      type = types.str;
      default = "1s";
      description = "Pause after the first failed attempt (a systemd time span).";
    };
    longest = mkOption {
      type = types.str;
      default = "60s";
      description = "Pause that the attempts slow down to. They never end.";
    };
  };

  config = lib.mkIf (cfg.secrets != { }) {
    # Mounted by systemd rather than by sops-install-secrets, which then needs no right to mount. A ramfs never swaps.
    systemd.mounts = [
      {
        description = "Memory of the Opened Secrets";
        what = "ramfs";
        where = "/run/secrets.d"; # fixed in sops-nix
        type = "ramfs";
        options = "nodev,nosuid,noexec,mode=0751";
        # Nothing of the boot waits for it but what opens secrets: systemd looks at mounts a few times a second alone.
        unitConfig.DefaultDependencies = false;
        conflicts = [ "umount.target" ];
        before = [ "umount.target" ];
      }
    ];

    systemd.services.sops-install-secrets = {
      description = "Open the Sealed Secrets";
      # Not sysinit.target: the network comes after it. Nothing that leads to the network may wait for this unit.
      wantedBy = mkForce [ "multi-user.target" ];
      # The memory is wanted, not required: a mount that failed once would end this unit for good, and so each attempt
      # asks for it again. Where it is not there, nothing is opened (open-secrets.sh).
      wants = [
        "network-online.target"
        "run-secrets.d.mount"
      ];
      after = [
        "network-online.target"
        "run-secrets.d.mount"
      ];
      # sops-nix turns the default dependencies off, and with them the end at shutdown.
      conflicts = [ "shutdown.target" ];
      before = [ "shutdown.target" ];
      startLimitIntervalSec = 0;
      environment.SEALED_ONION_KEY_URL = cfg.keyVault.keyUrl;
      serviceConfig = {
        # sops-nix's own program opens all or none.
        ExecStart = mkForce [ "${lib.getExe open} ${config.system.build.sops-nix-manifest}" ];
        TimeoutStartSec = "120s";
        Restart = "on-failure";
        RestartSec = cfg.unseal.retry.first;
        RestartSteps = 8;
        RestartMaxDelaySec = cfg.unseal.retry.longest;
      }
      // import ../../lib/confinement.nix {
        capabilities = [
          "CAP_CHOWN"
          "CAP_DAC_OVERRIDE"
          "CAP_FOWNER"
        ];
        # sops-install-secrets makes files and folders with the modes they are to have, and sets none afterwards: whatever
        # the mask takes away is missing, first of all everybody's way into /run/secrets. No mode that lib/rules.json
        # allows has the bits that this one takes: without it, folders on the way to a secret would be open to writing.
        umask = "0022";
        writable = [ "/run" ];
      };
    };
  };
}
