{ config, lib }:
let
  inherit (config.systemd.services) vault-agent vault-secret-database app;
  inherit (vault-agent) serviceConfig;
in
{
  "the agent waits for the network and is always restarted" =
    lib.elem "network-online.target" vault-agent.after && serviceConfig.Restart == "always";
  "the agent has the two capabilities it needs" =
    serviceConfig.CapabilityBoundingSet == [
      "CAP_IPC_LOCK"
      "CAP_SYSLOG"
    ]
    && serviceConfig.AmbientCapabilities == [ "CAP_IPC_LOCK" ];
  "Vault's own agent logs in by itself" = !(config.systemd.services ? vault-login);
  "the agent is no root" = serviceConfig.User == "vault-agent";
  "the mask leaves the token to its group" = serviceConfig.UMask == "0027";
  "the token lies in a ramfs" = lib.any (
    mount: mount.where == "/run/vault-agent" && mount.type == "ramfs"
  ) config.systemd.mounts;
  "a rendered secret is put in place by a unit of its own" =
    config.systemd.paths.vault-secret-database.pathConfig.PathChanged == "/run/vault-agent/rendered/database"
    && vault-secret-database.serviceConfig.PrivateNetwork;
  "what could not be put in place is tried again, for ever" =
    vault-secret-database.serviceConfig.Restart == "on-failure" && vault-secret-database.startLimitIntervalSec == 0;
  "who uses it waits for it" = lib.elem "/run/vault-secrets/database" app.unitConfig.ConditionPathExists;
}
