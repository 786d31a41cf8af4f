# A stack whose machine takes its systems in place, as its facts say.
{
  lib,
  machineOf,
  stacks,
}:
let
  inherit (stacks) plain;
  update = {
    containerUrl = "https://sodev1a2b3c4d.blob.core.windows.net/systems";
    publicKey = "sealed-onion-plain:3JpEZ4S5bBDpBa8wEwyxgIxBa7KYWTLvk6nQ7dVgSyA=";
    reboot = "auto";
    keep = 3;
  };
  inPlace = plain // { facts = plain.facts // { inherit update; }; };
  inherit (machineOf inPlace [ ]) config;
  inherit (config.systemd) services timers;
  without = (machineOf plain [ ]).config;
  otherLoader = machineOf inPlace [
    {
      boot.loader.grub.enable = lib.mkForce false;
      boot.loader.systemd-boot.enable = true;
    }
  ];
  known = "/run/sealed-onion-update/known";
in
{
  "a machine that takes systems in place evaluates" = lib.hasSuffix ".drv" config.system.build.toplevel.drvPath;
  "it opens no secret before it knows what it is to run" =
    services.sops-install-secrets.unitConfig.ConditionPathExists == known;
  "what switches is not ended by its own switch" =
    !services.update-system.restartIfChanged && !services.update-system.unitConfig.X-StopOnRemoval;
  "it is no part of the boot, which would wait for it" =
    services.update-system.wantedBy == [ ] && timers.update-system.wantedBy == [ "timers.target" ];
  "it believes the stack's own key" = services.update-system.environment.SEALED_ONION_PUBLIC_KEY == update.publicKey;
  "it may take its time" = services.update-system.serviceConfig.TimeoutStartSec == "2h";
  "its dials are those of the facts" =
    config.sealed-onion.update.keep == 3 && services.update-system.environment.SEALED_ONION_REBOOT == "auto";
  "a kernel that does not come up is left: GRUB boots it once, and a panic, or a root that is not found, starts again" =
    services.update-system.environment.SEALED_ONION_GRUB == "/boot/grub"
    && config.fileSystems."/boot".fsType == "vfat" # GRUB can write there
    && lib.all (word: lib.elem word config.boot.kernelParams) [
      "panic=1"
      "boot.panic_on_fail"
    ];
  "another loader is left alone" =
    !(otherLoader.config.systemd.services.update-system.environment ? SEALED_ONION_GRUB);
  "every assertion holds in place" = lib.all (check: check.assertion) config.assertions;
  "elsewhere nothing of it is there, and secrets open as they did" =
    !(without.systemd.services ? update-system) && !(without.systemd.services.sops-install-secrets.unitConfig ? ConditionPathExists);
}
