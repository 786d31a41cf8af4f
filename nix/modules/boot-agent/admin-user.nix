# An administrator whose SSH keys are those Azure was given when the machine was made, fetched at each boot.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.bootAgent;
  rules = import ../../lib/rules.nix;
  ruled = import ../../lib/ruled-types.nix lib;
  script = import ../../lib/script.nix { inherit lib pkgs; };
  fetch = script "fetch-authorized-keys" [
    pkgs.coreutils
    pkgs.curl
    pkgs.jq
  ];
in
{
  options.sealed-onion.bootAgent.adminUser = lib.mkOption {
    type = lib.types.nullOr ruled.account;
    default = null;
    example = "operator";
    description = ''
      Name of an account in `wheel`, without a password, for the SSH keys that the metadata service gives.
    '';
  };

  config = lib.mkIf (cfg.enable && cfg.adminUser != null) {
    assertions = [
      {
        assertion = !rules.follows "takenUser" cfg.adminUser;
        message = "sealed-onion.bootAgent.adminUser must not be ${rules.says "takenUser"}, got \"${cfg.adminUser}\": set another one";
      }
    ];

    users.users.${cfg.adminUser} = {
      isNormalUser = true;
      description = "Administrator";
      extraGroups = [ "wheel" ];
      hashedPassword = "!";
    };
    # There is no password to ask for: who holds the SSH key is the administrator.
    security.sudo = {
      wheelNeedsPassword = false;
      execWheelOnly = true;
    };
    services.openssh.authorizedKeysFiles = [ "/run/authorized-keys/%u" ];
    services.openssh.settings.AllowUsers = [ cfg.adminUser ];

    systemd.services.azure-authorized-keys = import ../../lib/network-oneshot.nix {
      description = "Fetch the Administrator's SSH Keys from Azure";
      serviceConfig = {
        ExecStart = "${lib.getExe fetch} /run/authorized-keys/${cfg.adminUser}";
        RuntimeDirectory = "authorized-keys";
        RuntimeDirectoryMode = "0755";
        TimeoutStartSec = "60s";
      }
      // import ../../lib/confinement.nix { addresses = [ "169.254.169.254" ]; };
    };
  };
}
