# Tor onion services (version 3) whose keys are sealed secrets.
#
#   sealed-onion.onionServices.site = { secret = "onion"; hostname = "….onion"; ports."80" = "site"; };
#
# The key never lies on a disk: sops-nix opens it in memory, and tor's copy is under /run (onion-service/tor.nix).
# The declared address is what counts: a damaged or foreign key stops tor, and never becomes a new, silent address.
{ config, lib, ... }:
let
  cfg = config.sealed-onion;
  services = cfg.onionServices;
  address = import ../lib/onion-address.nix;
  inherit (lib) mkOption types;
  ruled = import ../lib/ruled-types.nix lib;
  rules = import ../lib/rules.nix;
  agent = cfg.vaultAgent.listener or rules.vaultAgentListener; # vault-agent.nix need not be there

  onionService = types.submodule (
    { name, ... }:
    {
      options = {
        secret = mkOption {
          type = types.str;
          default = name;
          description = "Name in {option}`sealed-onion.secrets` of the key: the content of tor's `hs_ed25519_secret_key`.";
        };
        hostname = mkOption {
          type = types.addCheck types.str address.isOnionHostname // {
            description = "version 3 onion address";
          };
          description = "The address the key belongs to. Tor does not start with a key of another one.";
        };
        ports = mkOption {
          type = types.attrsOf ruled.target;
          default = rules.defaults.service.ports;
          example = {
            "80" = "site";
            "8333" = "127.0.0.1:8333";
            "5432" = "unix:/run/postgresql/.s.PGSQL.5432";
          };
          description = ''
            Where each virtual port leads: "site" is the static site, else a loopback address and port, or a unix socket.
            The socket's folder has to outlive a restart of its service (`RuntimeDirectoryPreserve = "restart"`).
          '';
        };
        site = mkOption {
          type = types.path;
          default = ../site;
          defaultText = lib.literalExpression "./site";
          apply = folder: "${folder}"; # into the store, and so into the image
          description = "Folder or derivation with the static site. It is public: anything in the Nix store is.";
        };
        clientAuthorization = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = ''
            Names of secrets, each one line `descriptor:x25519:<base32 public key>`. With any, only these clients can
            even find out that the service exists.
          '';
        };
        ssh = mkOption {
          type = types.bool;
          default = false;
          description = "Whether port 22 of the address leads to this machine's SSH, which listens on loopback alone.";
        };
        proofOfWork = mkOption {
          type = types.bool;
          default = lib.versionAtLeast config.services.tor.package.version "0.4.8";
          defaultText = lib.literalMD "whether this machine's tor knows it: 0.4.8 and later";
          description = "Whether clients must work for a connection while the service is flooded.";
        };
      };
    }
  );

  used = lib.concatMap (service: [ service.secret ] ++ service.clientAuthorization) (lib.attrValues services);
  unknown = lib.filter (name: !(cfg.secrets ? ${name})) (lib.unique used);
in
{
  imports = [
    ./sealed-secrets.nix
    ./onion-service/descriptors.nix
    ./onion-service/finish-visits.nix
    ./onion-service/site.nix
    ./onion-service/sockets.nix
    ./onion-service/ssh.nix
    ./onion-service/targets.nix
    ./onion-service/tor.nix
  ];

  options.sealed-onion = {
    onionServices = mkOption {
      type = types.attrsOf onionService;
      default = { };
      description = "Tor onion services, by name.";
    };
    asReplica = mkOption {
      type = types.listOf types.str;
      internal = true;
      default = [ ];
      description = "What is put before a command that is about a service's own key or address: see replica.nix.";
    };
  };

  config = lib.mkIf (services != { }) {
    assertions = [
      {
        assertion = unknown == [ ];
        message = "sealed-onion.onionServices uses ${lib.concatStringsSep ", " unknown}, which is no secret: declare sealed-onion.secrets.<name>";
      }
    ]
    ++
      map
        (message: {
          assertion = false;
          inherit message;
        })
        (
          import ../lib/service-problems.nix {
            inherit services;
            listeners = [ agent ];
          }
        );
  };
}
