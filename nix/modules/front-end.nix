# The front end of balanced onion addresses: it holds their keys, takes no visits, and publishes under each address the
# introduction points of the replicas behind it (replica.nix).
#
#   sealed-onion.frontEnd.services.site = { secret = "onion"; hostname = "….onion"; backends = [ "….onion" … ]; };
#
# Onionbalance (https://onionservices.torproject.org/apps/base/onionbalance/) does it, by a tor without services; what it
# gets wrong is put right in ../frontend. This is the one machine with Python. Several front ends of one address work
# side by side. Without any, an address lives on for about three hours.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion;
  inherit (cfg.frontEnd) services;
  inherit (lib) mkOption types;
  address = import ../lib/onion-address.nix;
  hostname = types.addCheck types.str address.isOnionHostname // {
    description = "version 3 onion address";
  };
  pathOf = secret: cfg.secrets.${secret}.path or "/run/secrets/${secret}";
  secrets = map (service: service.secret) (lib.attrValues services);
  unknown = lib.filter (secret: !(cfg.secrets ? ${secret})) secrets;

  python = pkgs.python3.withPackages (_: [ (pkgs.python3Packages.toPythonModule cfg.frontEnd.package) ]);
  settings = pkgs.writeText "onionbalance.json" (
    builtins.toJSON {
      # JSON is YAML
      services = map (service: {
        key = "/run/credentials/onionbalance.service/${service.secret}";
        instances = map (backend: { address = backend; }) service.backends;
      }) (lib.attrValues services);
    }
  );
in
{
  imports = [ ./sealed-secrets.nix ];

  options.sealed-onion.frontEnd = {
    package = lib.mkPackageOption pkgs "onionbalance" { };
    services = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            secret = mkOption {
              type = types.str;
              description = "Name in {option}`sealed-onion.secrets` of the address's key.";
            };
            hostname = mkOption {
              type = hostname;
              description = "The address.";
            };
            backends = mkOption {
              type = types.nonEmptyListOf hostname;
              description = "The replicas' own addresses.";
            };
          };
        }
      );
      default = { };
      description = "Balanced onion addresses, by name.";
    };
  };

  config = lib.mkIf (services != { }) {
    assertions = [
      {
        assertion = unknown == [ ];
        message = "sealed-onion.frontEnd uses ${lib.concatStringsSep ", " unknown}, which is no secret: declare sealed-onion.secrets.<name>";
      }
      {
        assertion = cfg.onionServices or { } == { };
        message = "a front end takes no visits: leave sealed-onion.onionServices to the replicas";
      }
    ];

    services.tor = {
      enable = true;
      enableGeoIP = false;
      controlSocket.enable = true;
      settings = {
        AvoidDiskWrites = true;
        DirCache = false;
        ExitRelay = false;
        SafeLogging = true;
      };
    };

    sealed-onion.unseal.consumers."onionbalance.service".secrets = secrets;

    systemd.services.onionbalance = {
      description = "Front End of the Onion Addresses";
      wantedBy = [ "multi-user.target" ];
      wants = [ "tor.service" ];
      after = [ "tor.service" ];
      partOf = [ "tor.service" ]; # it asks a tor that has started again for nothing
      startLimitIntervalSec = 0;
      environment.SEALED_ONION_STATE = "/run/sealed-onion-front-end";
      environment.PYTHONDONTWRITEBYTECODE = "1";
      serviceConfig = {
        ExecStart = lib.escapeShellArgs [
          (lib.getExe python)
          "${../frontend}/front_end.py"
          "--socket"
          "/run/tor/control"
          "--config"
          settings
          "--verbosity"
          "warning"
        ];
        LoadCredential = map (secret: "${secret}:${pathOf secret}") secrets;
        DynamicUser = true;
        SupplementaryGroups = [ "tor" ]; # the control socket is its group's
        RuntimeDirectory = "sealed-onion-front-end";
        RuntimeDirectoryMode = "0700";
        LimitCORE = 0; # a core file would hold the keys
      }
      // import ../lib/retry.nix
      // import ../lib/confinement.nix {
        addressFamilies = [ "AF_UNIX" ];
        addresses = [ ];
      };
    };
  };
}
