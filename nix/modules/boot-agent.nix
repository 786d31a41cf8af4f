# What is left of a cloud agent, each part with its own switch: by default the machine reports to Azure that it is ready,
# and nothing else. No Python, no extensions, nothing that runs what the platform sends.
#
#   sealed-onion.bootAgent = { enable = true; readyWhenUnsealed = true; adminUser = "operator"; };
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.bootAgent;
  inherit (lib) mkEnableOption mkOption types;
in
{
  imports = [
    ./sealed-secrets.nix
    ./boot-agent/admin-user.nix
    ./boot-agent/entropy.nix
    ./boot-agent/hostname.nix
    ./boot-agent/user-data-secrets.nix
  ];

  options.sealed-onion.bootAgent = {
    enable = mkEnableOption "the boot agent";
    checkIn.enable = mkEnableOption "reporting to Azure that the machine is ready, with afterburn" // {
      default = true;
    };
    package = lib.mkPackageOption pkgs "afterburn" { };
    readyWhenUnsealed = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether the machine reports ready only once its secrets are open. Azure then shows one whose secrets stay sealed
        as failed to provision, instead of as running.
      '';
    };
  };

  config = lib.mkIf (cfg.enable && cfg.checkIn.enable) {
    assertions = [
      {
        assertion = cfg.readyWhenUnsealed -> config.sealed-onion.secrets != { };
        message = "sealed-onion.bootAgent.readyWhenUnsealed waits for secrets, and there are none: declare sealed-onion.secrets, or unset it";
      }
    ];

    # As a consumer of every secret it is passed over until they are open, and started then. It reports once a boot.
    sealed-onion.unseal.consumers = lib.mkIf cfg.readyWhenUnsealed {
      "azure-check-in.service" = {
        secrets = lib.attrNames config.sealed-onion.secrets;
        restart = false;
      };
    };

    systemd.services.azure-check-in = import ../lib/network-oneshot.nix {
      description = "Report Ready to Azure";
      serviceConfig = {
        ExecStart = "${lib.getExe cfg.package} multi --provider azure --check-in";
        # Without a lease that tells the wire server's address, afterburn looks for one for a minute before it goes to
        # the well-known address; after that each request has its own limit.
        TimeoutStartSec = "180s";
      }
      // import ../lib/confinement.nix {
        addressFamilies = import ../lib/lease-families.nix;
        addresses = [
          "168.63.129.16"
          "169.254.169.254"
        ];
      };
    };
  };
}
