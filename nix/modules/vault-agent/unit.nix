# The agent's user, memory and unit.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.vaultAgent;
  folder = "/run/vault-agent";
  configuration = (pkgs.formats.json { }).generate "vault-agent.json" cfg.settings;
  prepare = pkgs.writeShellScript "prepare-vault-agent" ''
    ${pkgs.coreutils}/bin/install -d -m 0750 -o vault-agent -g ${cfg.group} ${folder}
    ${pkgs.coreutils}/bin/install -d -m 0700 -o vault-agent -g vault-agent ${folder}/rendered
  '';
in
{
  config = lib.mkIf cfg.enable {
    # Fixed, as the packet filter knows users by number. Not among NixOS's own ids, below the range it hands out.
    users.users.vault-agent = {
      isSystemUser = true;
      uid = 391;
      group = "vault-agent";
    };
    users.groups.vault-agent.gid = 391;
    sealed-onion.imds.allowedUids = [ config.users.users.vault-agent.uid ];

    nixpkgs.config.allowUnfreePredicate = lib.mkIf (cfg.flavour == "vault") (
      package:
      lib.elem (lib.getName package) [
        "vault"
        "vault-bin"
      ]
    );

    systemd.mounts = [
      {
        description = "Memory of Vault Agent";
        what = "ramfs";
        where = folder;
        type = "ramfs";
        options = "nodev,nosuid,noexec,mode=0750";
      }
    ];

    systemd.services.vault-agent = {
      description = "Vault Agent with the Machine's Managed Identity";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      requires = [ "run-vault\\x2dagent.mount" ];
      unitConfig.RequiresMountsFor = [ folder ];
      startLimitIntervalSec = 0;
      path = [ pkgs.getent ];
      serviceConfig = {
        User = "vault-agent";
        Group = cfg.group;
        ExecStartPre = "+${prepare}";
        ExecStart = "${lib.getExe cfg.package} agent -config=${configuration}";
        ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
        KillSignal = "SIGINT";
        TimeoutStopSec = "30s";
        AmbientCapabilities = [ "CAP_IPC_LOCK" ]; # locks its memory
        SecureBits = "keep-caps";
      }
      // import ../../lib/retry.nix
      // {
        Restart = "always";
      }
      // import ../../lib/confinement.nix {
        capabilities = [
          "CAP_IPC_LOCK"
          "CAP_SYSLOG"
        ];
        umask = "0027"; # the token is for the group too
        writable = [ folder ];
      };
    };
  };
}
