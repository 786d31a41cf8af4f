# A unit that uses a secret waits for it, and starts by itself when it arrives, however late.
#
# `Requires=` would be wrong: the first failed attempt to unseal would cancel the consumer's start for good. So a
# consumer only wants and follows the unsealing, is passed over while its files are missing, and sealed-secrets.target,
# which is started each time the secrets open, starts it then.
#
# sops-install-secrets asks for the consumers' restart before it puts the new secrets in place. So a consumer follows
# every unit that runs it: one that did not would be back, with the old secret, before the new one is there.
{ config, lib, ... }:
let
  cfg = config.sealed-onion;

  # What the secrets' own declarations say, by unit.
  declared = lib.zipAttrsWith (_: names: { secrets = names; }) (
    lib.concatLists (lib.mapAttrsToList (name: secret: map (unit: { ${unit} = name; }) secret.restart) cfg.secrets)
  );

  consumer = lib.types.submodule {
    options = {
      secrets = lib.mkOption {
        type = with lib.types; listOf str;
        default = [ ];
        description = "Names of the secrets that must be open before the service starts.";
      };
      restart = lib.mkOption {
        type = lib.types.bool;
        default = true;
        description = "Whether it restarts when one of them changes.";
      };
    };
  };

  unitsToRestart =
    secret: lib.attrNames (lib.filterAttrs (_: use: use.restart && lib.elem secret use.secrets) cfg.unseal.consumers);
  pathOf = secret: cfg.secrets.${secret}.path or "/run/secrets/${secret}";
  pathsOf = use: map pathOf (lib.naturalSort (lib.unique use.secrets));

  # Units that the network, and so Key Vault, needs. Waiting for a secret they would wait for ever.
  beforeTheNetwork = [
    "systemd-networkd.service"
    "systemd-networkd-wait-online.service"
    "systemd-resolved.service"
    "systemd-udevd.service"
    "nftables.service"
    "firewall.service"
    "dbus-broker.service"
    "dbus.service"
    "nscd.service"
  ];

  serviceName = lib.removeSuffix ".service";
  runs = name: config.systemd.services ? ${name} && config.systemd.services.${name}.serviceConfig ? ExecStart;
  # "app@1" may be a service of its own, or an instance of what "app@" says.
  templateOf = unit: if lib.hasInfix "@" unit then "${lib.head (lib.splitString "@" unit)}@" else null;
  isInstance = unit: templateOf unit != null && !(runs (serviceName unit)) && runs (templateOf unit);
  isDefined = unit: runs (serviceName unit) || isInstance unit;
  needsNetwork = unit: lib.elem unit beforeTheNetwork;
in
{
  options.sealed-onion.unseal = {
    consumers = lib.mkOption {
      type = lib.types.attrsOf consumer;
      default = { };
      internal = true;
      description = "Services that wait for secrets; those of `sealed-onion.secrets.*.restart` are among them.";
    };
    openers = lib.mkOption {
      type = with lib.types; listOf str;
      internal = true;
      description = "The units that put secrets in place, in this order; a unit that uses a secret comes after all of them.";
    };
  };

  config = lib.mkIf (cfg.secrets != { }) {
    sealed-onion.unseal = {
      consumers = declared;
      openers = lib.mkBefore [ "sops-install-secrets.service" ];
    };
    sops.secrets = lib.mapAttrs (name: _: { restartUnits = unitsToRestart name; }) cfg.secrets;

    assertions = lib.concatMap (unit: [
      {
        assertion = isDefined unit || needsNetwork unit;
        message = "sealed-onion.secrets.*.restart names ${unit}, which nothing here defines: correct the name, or define systemd.services.${serviceName unit}";
      }
      {
        assertion = !needsNetwork unit;
        message = "${unit} comes before the network and cannot wait for a secret that comes over it: take it out of sealed-onion.secrets.*.restart";
      }
    ]) (lib.attrNames cfg.unseal.consumers);

    systemd.targets.sealed-secrets = {
      description = "Sealed Secrets Are Open";
      after = [ "sops-install-secrets.service" ];
      # The later openers too: what one of them has put in place, sops-install-secrets.service has just replaced.
      wants = lib.tail cfg.unseal.openers ++ lib.attrNames cfg.unseal.consumers;
    };

    systemd.services = lib.mapAttrs' (unit: use: {
      name = serviceName unit;
      value = {
        wants = [ "sops-install-secrets.service" ];
        after = cfg.unseal.openers;
        unitConfig.ConditionPathExists = pathsOf use;
        # A whole file of that name would stand in the way of the template.
        overrideStrategy = lib.mkIf (isInstance unit) "asDropin";
      };
    }) cfg.unseal.consumers;
  };
}
