{ config, lib }:
let
  unit = config.systemd.services.sops-install-secrets;
  inherit (unit) serviceConfig;
  consumers = lib.mapAttrs (
    unit: _: config.systemd.services.${lib.removeSuffix ".service" unit}
  ) config.sealed-onion.unseal.consumers;
  everyConsumer = predicate: lib.all predicate (lib.attrValues consumers);
in
{
  "unsealing waits for the network" =
    lib.elem "network-online.target" unit.after && lib.elem "network-online.target" unit.wants;
  "nothing of the early boot waits for unsealing" =
    unit.wantedBy == [ "multi-user.target" ] && !(lib.elem "sysinit.target" unit.before);
  "a failed attempt is followed by another, for ever" =
    unit.startLimitIntervalSec == 0
    && serviceConfig.Restart == "on-failure"
    && serviceConfig.RestartSteps > 0
    && serviceConfig.RestartMaxDelaySec == "60s";
  "an attempt that hangs is ended" = serviceConfig.TimeoutStartSec == "120s";
  "the managed identity is the only credential that is tried" =
    unit.environment.AZURE_TOKEN_CREDENTIALS == "ManagedIdentityCredential";
  "the identity is the one of the facts" = unit.environment.AZURE_CLIENT_ID == "11111111-2222-3333-4444-555555555555";
  "our program opens them, of sops-nix's manifest" =
    map (line: lib.last (lib.splitString "/bin/" line)) serviceConfig.ExecStart == [
      "open-secrets ${config.system.build.sops-nix-manifest}"
    ];
  "the opened secrets lie in a ramfs that systemd mounts" =
    lib.any (mount: mount.where == "/run/secrets.d" && mount.type == "ramfs") config.systemd.mounts
    && lib.elem "run-secrets.d.mount" unit.after;
  "a mount of theirs that failed is asked for again by the next attempt" =
    lib.elem "run-secrets.d.mount" unit.wants
    && !(lib.elem "run-secrets.d.mount" unit.requires)
    && !(lib.elem "/run/secrets.d" (unit.unitConfig.RequiresMountsFor or [ ]));
  "no GPG and no age key file is asked for" =
    config.sops.gnupg.home == null && config.sops.gnupg.sshKeyPaths == [ ] && config.sops.age.keyFile == null;
  "a consumer follows the unsealing and is not cancelled by its failure" = everyConsumer (
    consumer:
    lib.elem "sops-install-secrets.service" consumer.after
    && lib.elem "sops-install-secrets.service" consumer.wants
    && !(lib.elem "sops-install-secrets.service" (consumer.requires ++ consumer.bindsTo ++ consumer.requisite))
  );
  "a consumer is passed over while its secrets are missing" = everyConsumer (
    consumer: consumer.unitConfig.ConditionPathExists != [ ]
  );
  "the arrival of the secrets starts every consumer" =
    lib.subtractLists [ "refresh-secrets.service" ] config.systemd.targets.sealed-secrets.wants == lib.attrNames consumers
    && !(serviceConfig ? ExecStartPost); # open-secrets starts it
  "who uses a secret restarts when it changes" =
    config.sops.secrets.api-token.restartUnits == [ "app.service" ]
    && config.sops.secrets.onion.restartUnits == [ "tor.service" ]
    && config.sops.secrets.friend.restartUnits == [ "tor.service" ];
  "the unit writes nowhere but in memory" = serviceConfig.ReadWritePaths == [ "/run" ];
  "no core file holds a secret" = lib.all (name: config.systemd.services.${name}.serviceConfig.LimitCORE == 0) [
    "refresh-secrets"
    "sops-install-secrets"
    "tor"
    "vault-agent"
    "vault-secret-database"
  ];
  "the mask takes nothing away from the secrets' modes, nor from the folder they lie in" =
    serviceConfig.UMask == "0022" && config.systemd.services.refresh-secrets.serviceConfig.UMask == "0022";
  "three generations are kept for a rollback" = config.sops.keepGenerations == 3;
}
