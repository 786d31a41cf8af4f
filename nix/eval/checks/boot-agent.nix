{ config, lib }:
let
  checkIn = config.systemd.services.azure-check-in;
  refresh = config.systemd.services.refresh-secrets;
in
{
  "neither of Azure's Python agents runs" =
    !config.services.waagent.enable
    && !config.services.cloud-init.enable
    && !(config.systemd.units ? "waagent.service")
    && !(config.systemd.units ? "cloud-init.service");
  "afterburn reports ready, and nothing else" =
    lib.hasSuffix "/bin/afterburn multi --provider azure --check-in" checkIn.serviceConfig.ExecStart;
  "afterburn can list the interfaces, and so finds the lease that names the wire server" =
    lib.all (unit: lib.elem "AF_NETLINK" unit.serviceConfig.RestrictAddressFamilies)
      [
        checkIn
        config.systemd.services.azure-hostname
      ];
  "the report waits for every secret" =
    checkIn.unitConfig.ConditionPathExists == [
      "/run/app-secrets/token"
      "/run/secrets/friend"
      "/run/secrets/onion"
      "/run/secrets/ssh-host-key"
    ];
  "the report is bounded in time and repeated" =
    checkIn.serviceConfig.TimeoutStartSec == "180s" && checkIn.serviceConfig.Restart == "on-failure";
  "the administrator has no password" =
    config.users.users.operator.hashedPassword == "!" && lib.elem "wheel" config.users.users.operator.extraGroups;
  "the administrator's keys come from the metadata service" =
    lib.elem "/run/authorized-keys/%u" config.services.openssh.authorizedKeysFiles;
  "the random pool is seeded before anything asks for a key" =
    lib.elem "sysinit.target" config.systemd.services.azure-entropy.before;
  "the hostname is left to Azure" = config.networking.hostName == "";
  "user data is looked at twice a minute" = config.systemd.timers.refresh-secrets.timerConfig.OnUnitInactiveSec == "30s";
  "a unit that uses a secret starts again only after the rotated one is in place" = lib.all (
    unit: lib.elem "refresh-secrets.service" config.systemd.services.${lib.removeSuffix ".service" unit}.after
  ) (lib.attrNames config.sealed-onion.unseal.consumers);
  "at boot, and each time the image's secrets opened, user data comes before anybody uses them" =
    lib.elem "multi-user.target" refresh.wantedBy
    && lib.elem "refresh-secrets.service" config.systemd.targets.sealed-secrets.wants
    && lib.elem "sops-install-secrets.service" refresh.after;
  "the image's secrets and user data's are opened one after the other" =
    !(refresh.environment ? SEALED_ONION_MEMORY)
    && !(config.systemd.services.sops-install-secrets.environment ? SEALED_ONION_MEMORY);
  "user data is opened by the same identity and compared with the same key" =
    refresh.environment.AZURE_CLIENT_ID == "11111111-2222-3333-4444-555555555555"
    && refresh.environment.SEALED_ONION_KEY_URL == config.sealed-onion.keyVault.keyUrl;
}
