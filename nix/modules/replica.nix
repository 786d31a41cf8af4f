# One of several machines behind one onion address: a tor with a key of its own, whose introduction points the front end
# (front-end.nix) publishes under the address.
#
#   sealed-onion.replica.services.site = [ { secret = "onion-replica-1"; hostname = "….onion"; } … ];
#
# All replicas boot one image. Which of them a machine is, its user data says (scripts/read-replica.sh): what is declared
# for the first one is then run with that replica's own key and address (scripts/as-replica.sh). The machine holds no key
# of the address itself. `sealed-onion.onionServices.<name>` has the address as its hostname, and the first replica's key.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion;
  inherit (cfg.replica) services;
  state = "/run/sealed-onion-replica";
  inherit (lib) mkOption types;
  script = import ../lib/script.nix { inherit lib pkgs; };
  curl = [
    pkgs.coreutils
    pkgs.curl
    pkgs.jq
  ];
  read = script "read-replica" curl;
  as = script "as-replica" [
    pkgs.coreutils
    pkgs.jq
  ];

  pathOf = secret: cfg.secrets.${secret}.path or "/run/secrets/${secret}";
  keys = lib.mapAttrs (_: map (replica: pathOf replica.secret)) services;
  # Text by text, what the first replica has and each replica's own.
  table = lib.concatMapAttrs (name: replicas: {
    ${cfg.onionServices.${name}.hostname} = map (replica: replica.hostname) replicas;
    ${pathOf (lib.head replicas).secret} = keys.${name};
  }) services;
  file = name: value: pkgs.writeText name (builtins.toJSON value);

  masterOf =
    name: pkgs.writeText "ob_config" "MasterOnionAddress ${cfg.onionServices.${name}.hostname}\n";
  onion = name: config.services.tor.relay.onionServices.${name};
  # A service with ssh is each replica's own, under its own address: no front end publishes it.
  declared = lib.filterAttrs (name: _: services ? ${name}) cfg.onionServices;
  alone = lib.attrNames (lib.filterAttrs (_: service: service.ssh) declared);
  balanced = removeAttrs declared alone;
  refuse = what: why: remedy: {
    assertion = !lib.any what (lib.attrValues balanced);
    message = "sealed-onion.replica: a balanced address cannot have ${why}: ${remedy}";
  };
in
{
  imports = [ ./onion-service.nix ];

  options.sealed-onion.replica.services = mkOption {
    type = types.attrsOf (
      types.nonEmptyListOf (
        types.submodule {
          options = {
            secret = mkOption {
              type = types.str;
              description = "Name in {option}`sealed-onion.secrets` of the replica's own onion key.";
            };
            hostname = mkOption {
              type = types.str;
              description = "The replica's own address, which visitors never see.";
            };
          };
        }
      )
    );
    default = { };
    description = "Onion services whose address a front end publishes, and the replicas of each, the first one first.";
  };

  config = lib.mkIf (services != { }) {
    sealed-onion = {
      asReplica = [
        (lib.getExe as)
        "${file "as-replica.json" table}"
      ];
      onionServices = lib.mapAttrs (_: _: { proofOfWork = lib.mkDefault false; }) services;
      unseal.consumers."tor.service".secrets = lib.concatMap (map (replica: replica.secret)) (lib.attrValues services);
    };

    assertions = [
      (refuse (service: service.clientAuthorization != [ ]) "client authorization"
        "its front end cannot read the descriptor of a replica that has it"
      )
      {
        assertion = lib.all (name: declared.${name}.ports == { }) alone;
        message = "sealed-onion.replica: ssh beside other ports would reach any of the machines, and another one each time: give it a service of its own";
      }
      (refuse (
        service: service.proofOfWork
      ) "proof of work" "the address's descriptor does not say what a client has to prove")
      {
        assertion = lib.all (replicas: lib.length replicas <= 8) (lib.attrValues services);
        message = "sealed-onion.replica: an address has 8 replicas at most: of 11 tor takes no descriptor, and nothing says so";
      }
    ];

    services.tor.relay.onionServices = lib.mapAttrs (name: _: {
      secretKey = lib.mkForce "${state}/keys/${name}";
      settings = lib.mkIf (balanced ? ${name}) { HiddenServiceOnionBalanceInstance = true; };
    }) services;

    systemd.services.tor = {
      after = [ "read-replica.service" ];
      unitConfig.ConditionPathExists = [ "${state}/number" ];
      # After the folder is laid out, before upstream's own steps.
      serviceConfig.ExecStartPre = lib.mkOrder 600 (
        map (
          name: "+${pkgs.coreutils}/bin/install -m 0400 -o tor -g tor ${masterOf name} ${(onion name).path}/ob_config"
        ) (lib.attrNames balanced)
      );
    };

    systemd.services.read-replica = import ../lib/network-oneshot.nix {
      description = "Take from Azure Which Replica This Is";
      serviceConfig = {
        ExecStart = lib.escapeShellArgs [
          (lib.getExe read)
          "${file "replicas.json" keys}"
        ];
        # tor was passed over where the secrets were open before this was known.
        ExecStartPost = "-${config.systemd.package}/bin/systemctl --no-block start tor.service";
        RuntimeDirectory = "sealed-onion-replica";
        RuntimeDirectoryPreserve = true;
        TimeoutStartSec = "60s";
      }
      // import ../lib/confinement.nix {
        addressFamilies = [
          "AF_UNIX"
          "AF_INET"
        ];
        addresses = [ "169.254.169.254" ];
        umask = "0022";
      };
    };
  };
}
