# Sealed files from the machine's user data: a secret rotated there reaches the running machine within a minute, without
# a rebuild and without a reboot. The image's own files stay the default, and come back when the user data goes away.
#
# User data is base64 of {"version":1,"secrets":{"<name>":<the sops file>}}, at most 64 KiB. It can only replace secrets
# that the image declares, sealed for the image's own key (scripts/refresh-secrets.sh); a set that does not open leaves
# the one in use untouched. Who may write user data may replace the whole machine anyhow.
#
# At boot and at each switch the image's own secrets open first, and user data is looked at before anybody uses them: the
# consumers come after both units, however the look ends, and it is bounded in time.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.bootAgent;
  inherit (lib) mkEnableOption mkOption types;
  programs = import ../../lib/secret-programs.nix {
    inherit lib pkgs;
    installer = config.sops.package;
  };
  refresh = import ../../lib/script.nix { inherit lib pkgs; } "refresh-secrets" [
    config.sops.package
    config.systemd.package
    pkgs.coreutils
    pkgs.curl
    pkgs.findutils
    pkgs.jq
    pkgs.util-linux
    programs.explain-sealed
    programs.place-secrets
    programs.say-change
  ];
  unseal = config.systemd.services.sops-install-secrets;
in
{
  options.sealed-onion.bootAgent.userDataSecrets = {
    enable = mkEnableOption "sealed files from the machine's user data";
    interval = mkOption {
      type = types.str;
      default = "30s";
      description = "How often user data is looked at (a systemd time span).";
    };
  };

  config = lib.mkIf (cfg.enable && cfg.userDataSecrets.enable && config.sealed-onion.secrets != { }) {
    sealed-onion.unseal.openers = [ "refresh-secrets.service" ];

    systemd.timers.refresh-secrets = {
      description = "Look for Rotated Secrets in User Data";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = "5s";
        OnUnitInactiveSec = cfg.userDataSecrets.interval;
        AccuracySec = "1s";
      };
    };

    systemd.services.refresh-secrets = {
      description = "Open Rotated Secrets from User Data";
      wantedBy = [ "multi-user.target" ];
      after = [ "sops-install-secrets.service" ];
      # The image's own secrets come first: they also prove that the vault opens at all.
      unitConfig.ConditionPathExists = "/run/secrets";
      environment = config.sops.environment // {
        SEALED_ONION_KEY_URL = unseal.environment.SEALED_ONION_KEY_URL;
        SEALED_ONION_MANIFEST = "${config.system.build.sops-nix-manifest}";
        SOPS_RESTART_UNITS_VIA_SYSTEMCTL = "1";
      };
      serviceConfig = {
        Type = "oneshot";
        ExecStart = lib.getExe refresh;
        RuntimeDirectory = "sealed-onion";
        RuntimeDirectoryMode = "0700";
        RuntimeDirectoryPreserve = true;
        TimeoutStartSec = "120s";
        # The same work as the unit that opens the secrets, in the same sandbox.
        inherit (unseal.serviceConfig)
          CapabilityBoundingSet
          ReadWritePaths
          SystemCallFilter
          UMask
          ;
      }
      // removeAttrs (import ../../lib/confinement.nix { }) [
        "CapabilityBoundingSet"
        "ReadWritePaths"
        "SystemCallFilter"
        "UMask"
      ];
    };
  };
}
