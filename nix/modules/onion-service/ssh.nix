# SSH for operators through the onion address: sshd on loopback, keys only. No port of the machine is open for it.
{ config, lib, ... }:
let
  cfg = config.sealed-onion;
  hasKeys = user: user.openssh.authorizedKeys.keys != [ ] || user.openssh.authorizedKeys.keyFiles != [ ];
  hasShell = user: !(lib.hasSuffix "/nologin" (toString (user.shell.shellPath or user.shell)));
  canLogIn = user: user.name != "root" && hasShell user && hasKeys user; # PermitRootLogin is "no" below
  someone =
    (cfg.bootAgent.adminUser or null) != null # boot-agent.nix need not be there
    || lib.any canLogIn (lib.attrValues config.users.users);
  sealedKey = cfg.ssh.enable && cfg.ssh.hostKey != null;
  reachable = lib.any (service: service.ssh) (lib.attrValues cfg.onionServices);
in
{
  options.sealed-onion.ssh = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = reachable;
      defaultText = lib.literalMD "whether any onion service has `ssh`";
      description = "Whether this machine's sshd is set up for that: on loopback alone, for keys alone.";
    };
    hostKey = lib.mkOption {
      type = with lib.types; nullOr str;
      default = null;
      example = "ssh-host-key";
      description = ''
        Name in {option}`sealed-onion.secrets` of sshd's ed25519 key, so that a machine made in the place of this one is
        known by the same key. Null lets the machine make one on its disk.
      '';
    };
  };

  config.assertions = [
    {
      assertion = sealedKey -> cfg.secrets ? ${cfg.ssh.hostKey};
      message = "sealed-onion.ssh.hostKey is ${toString cfg.ssh.hostKey}, which is no secret: declare sealed-onion.secrets.${toString cfg.ssh.hostKey}";
    }
    {
      assertion = cfg.ssh.enable -> someone;
      message = "SSH is on and nobody can log in: set sealed-onion.bootAgent.adminUser (in a stack: bootAgent.sshKeys), or users.users.<name>.openssh.authorizedKeys.keys";
    }
  ];

  # sshd waits for its key, as tor does for its own: before that nobody gets here anyway.
  config.sealed-onion.unseal.consumers = lib.mkIf sealedKey { "sshd.service".secrets = [ cfg.ssh.hostKey ]; };

  # Without `ssh` a machine's own sshd stays as it is.
  config.services.openssh = lib.mkIf cfg.ssh.enable {
    enable = lib.mkOverride 80 true; # azure-image.nix has it off
    openFirewall = false;
    startWhenNeeded = false;
    listenAddresses = [
      {
        addr = "127.0.0.1";
        port = 22;
      }
    ];
    generateHostKeys = lib.mkIf sealedKey false;
    hostKeys = [
      {
        path = if sealedKey then cfg.secrets.${cfg.ssh.hostKey}.path or "/run/secrets" else "/etc/ssh/ssh_host_ed25519_key";
        type = "ed25519";
      }
    ];
    settings = {
      AuthenticationMethods = "publickey";
      KbdInteractiveAuthentication = false;
      PasswordAuthentication = false;
      PermitRootLogin = lib.mkForce "no";
      X11Forwarding = false;
      AllowAgentForwarding = false;
      AllowTcpForwarding = false;
      MaxAuthTries = 3;
      LoginGraceTime = 20;
    };
  };
}
