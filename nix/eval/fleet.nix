# A stack of three replicas and a front end: what each machine has, and what it must not have.
{
  lib,
  replica,
  frontEnd,
  alone,
}:
let
  units = machine: import ./units.nix { inherit lib machine; };
  ours = {
    replica = units replica;
    frontEnd = units frontEnd;
  };
  text = machine: lib.concatMapStrings (unit: unit.text) (lib.attrValues ours.${machine}.units);
  onion = replica.config.services.tor.relay.onionServices.onion;
  tor = replica.config.systemd.services.tor;
  before = map toString tor.serviceConfig.ExecStartPre;
  front = frontEnd.config.systemd.services.onionbalance;
  sealedIn = machine: map (secret: baseNameOf (toString secret.sopsFile)) (lib.attrValues machine.config.sops.secrets);
  failures = machine: lib.filter (check: !check.assertion) machine.config.assertions;
  refused =
    settings:
    map (check: check.message) (
      failures (
        replica.extendModules {
          modules = [ { sealed-onion.onionServices.onion = settings; } ];
        }
      )
    );
  # Another address for each replica, with ssh and nothing else.
  own = letter: {
    secret = "onion-replica-${letter}";
    hostname = "${lib.concatStrings (lib.replicate 55 "a")}${letter}.onion";
  };
  reachable = replica.extendModules {
    modules = [
      {
        sealed-onion.replica.services.shell = map own [ "1" "2" "3" ];
        sealed-onion.onionServices.shell = {
          inherit (lib.head replica.config.sealed-onion.replica.services.onion) secret hostname;
          ports = { };
          ssh = true;
        };
      }
    ];
  };
in
{
  inherit (ours) replica frontEnd;

  holds = {
    "every assertion holds" = failures replica == [ ] && failures frontEnd == [ ];
    "the key of the address is sealed into the front end's image alone" =
      sealedIn frontEnd == [ "onion.sops.json" ]
      && sealedIn replica == [
        "onion-replica-1.sops.json"
        "onion-replica-2.sops.json"
        "onion-replica-3.sops.json"
      ];
    "each opens with a key and an identity of its own" =
      replica.config.sealed-onion.keyVault.keyUrl != frontEnd.config.sealed-onion.keyVault.keyUrl
      && replica.config.sealed-onion.keyVault.clientId != frontEnd.config.sealed-onion.keyVault.clientId;
    "only the front end has Python" =
      lib.hasInfix "-python3" (text "frontEnd") && !(lib.hasInfix "python" (text "replica"));
    "a front end serves nobody" =
      frontEnd.config.services.tor.relay.onionServices == { }
      && frontEnd.config.services.tor.settings.SOCKSPort == [ 0 ]
      && !(ours.frontEnd.units ? "follow-descriptors.service");
    "it takes the key as a credential, once it is open" =
      front.serviceConfig.LoadCredential == [ "onion:/run/secrets/onion" ]
      && front.unitConfig.ConditionPathExists == [ "/run/secrets/onion" ]
      && front.serviceConfig.DynamicUser
      && front.serviceConfig.LimitCORE == 0;
    "it reaches tor's control socket and nothing else" =
      front.serviceConfig.RestrictAddressFamilies == [ "AF_UNIX" ]
      && front.serviceConfig.IPAddressDeny == "any"
      && front.serviceConfig.CapabilityBoundingSet == ""
      && front.serviceConfig.SupplementaryGroups == [ "tor" ];
    "it begins again with its tor" = front.partOf == [ "tor.service" ] && front.startLimitIntervalSec == 0;
    "its status is written too" = ours.frontEnd.units ? "write-status.service";
    "a replica's tor is told that a front end publishes for it" = onion.settings.HiddenServiceOnionBalanceInstance;
    "it runs with the key of this very replica" = onion.secretKey == "/run/sealed-onion-replica/keys/onion";
    "and only once it is known which one it is, and all keys are open" =
      lib.sort lib.lessThan tor.unitConfig.ConditionPathExists == [
        "/run/sealed-onion-replica/number"
        "/run/secrets/onion-replica-1"
        "/run/secrets/onion-replica-2"
        "/run/secrets/onion-replica-3"
      ]
      && lib.elem "read-replica.service" tor.after;
    "key and own address are checked first, then the address is named, then come upstream's steps" =
      lib.hasInfix "/bin/as-replica " (lib.head before)
      && lib.hasInfix "/bin/prepare-onion-key onion /run/secrets/onion-replica-1" (lib.head before)
      && lib.hasSuffix "/run/tor/onion/onion/ob_config" (lib.elemAt before 1)
      && lib.length before == 4;
    "what is told of its address is of its own" =
      lib.hasInfix "/bin/as-replica " replica.config.systemd.services.follow-descriptors.serviceConfig.ExecStart
      && lib.hasInfix "/bin/as-replica " replica.config.systemd.services.write-status.serviceConfig.ExecStart;
    "it counts visits, which a machine alone does not" =
      replica.config.systemd.services.follow-descriptors.environment.SEALED_ONION_COUNT == "1800"
      && !(alone.config.systemd.services.follow-descriptors.environment ? SEALED_ONION_COUNT);
    "it asks for no proof of work" = !onion.settings.HiddenServicePoWDefensesEnabled;
    "a machine alone knows nothing of all this" =
      lib.intersectLists (lib.attrNames alone.config.systemd.units) [
        "onionbalance.service"
        "read-replica.service"
      ] == [ ]
      && !(lib.hasInfix "as-replica" (toString alone.config.systemd.services.tor.serviceConfig.ExecStartPre));
    "ssh at the address is refused" =
      refused { ssh = lib.mkForce true; } == [
        "SSH is on and nobody can log in: set sealed-onion.bootAgent.adminUser (in a stack: bootAgent.sshKeys), or users.users.<name>.openssh.authorizedKeys.keys"
        "sealed-onion.replica: ssh beside other ports would reach any of the machines, and another one each time: give it a service of its own"
      ];
    "ssh alone is each replica's own: its tor is not told of a front end, and its status says so" =
      !(reachable.config.services.tor.relay.onionServices.shell.settings ? HiddenServiceOnionBalanceInstance)
      && reachable.config.services.tor.relay.onionServices.onion.settings.HiddenServiceOnionBalanceInstance
      && reachable.config.services.tor.relay.onionServices.shell.secretKey == "/run/sealed-onion-replica/keys/shell"
      && lib.length (lib.filter (lib.hasInfix "ob_config") (map toString reachable.config.systemd.services.tor.serviceConfig.ExecStartPre)) == 1
      && reachable.config.systemd.services.write-status.environment.SEALED_ONION_ALONE == "shell"
      && !(replica.config.systemd.services.write-status.environment ? SEALED_ONION_ALONE);
    "client authorization is refused" =
      refused { clientAuthorization = lib.mkForce [ "onion-replica-2" ]; } == [
        "sealed-onion.replica: a balanced address cannot have client authorization: its front end cannot read the descriptor of a replica that has it"
      ];
    "proof of work is refused" =
      refused { proofOfWork = true; } == [
        "sealed-onion.replica: a balanced address cannot have proof of work: the address's descriptor does not say what a client has to prove"
      ];
  };
}
