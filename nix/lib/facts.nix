# Reads what `pulumi up` writes to stacks/<stack>/: facts.json and the sealed files. Plain builtins, so that it can be
# checked without a nixpkgs. Mistakes are refused here with the file and the field, not deep inside a module.
let
  address = import ./onion-address.nix;
  rules = import ./rules.nix;
  inherit (rules) defaults;

  attributeOr =
    default: name: set:
    if set ? ${name} then set.${name} else default;

  # The first of `checks` ([ { ok; message; } ]) that does not hold stops the evaluation.
  require =
    where: checks: value:
    builtins.foldl' (result: check: if check.ok then result else throw "${where}: ${check.message}") value checks;

  inherit (import ./fleet-facts.nix { inherit require ruled; }) parseReplica parseFrontEnd;
  parseLogs = import ./logs-facts.nix { inherit hasFields require ruled; };
  parseUpdate = import ./update-facts.nix { inherit hasFields require ruled; };
  parseVaultAgent = import ./vault-agent-facts.nix { inherit hasFields require ruled; };

  missing = wanted: set: builtins.filter (name: !(set ? ${name})) wanted;

  hasFields = wanted: set: {
    ok = builtins.isAttrs set && missing wanted set == [ ];
    message = "needs ${builtins.concatStringsSep ", " (missing wanted set)}";
  };

  # A field and the rule (rules.json) that its value is under.
  ruled = field: rule: value: {
    ok = rules.follows rule value;
    message = "${field} must be ${rules.says rule}, got ${builtins.toJSON value}";
  };

  everyName = what: set: map (ruled "the name of a ${what}" "name") (builtins.attrNames set);

  parseSecret =
    where: name: given:
    let
      secret = defaults.secret // given;
    in
    require "${where}: secrets.${name}" (
      [
        (hasFields [ "path" "sealedFile" ] secret)
        {
          # Nothing else than a file of this very folder: no "..", no other stack's secret.
          ok = builtins.match "[A-Za-z0-9][A-Za-z0-9._-]*\\.sops\\.json" secret.sealedFile != null;
          message = "sealedFile must be a <name>.sops.json beside facts.json, got \"${secret.sealedFile}\"";
        }
        (ruled "path" "path" secret.path)
        (ruled "owner" "account" secret.owner)
        (ruled "group" "account" secret.group)
        (ruled "mode" "mode" secret.mode)
      ]
      ++ map (ruled "restart" "service") secret.restart
    ) secret;

  parseService =
    where: secrets: name: given:
    let
      service = defaults.service // given;
      unknown = builtins.filter (secret: !(secrets ? ${secret})) ([ service.secret ] ++ service.clientAuthorization);
    in
    require "${where}: services.${name}" (
      [
        (hasFields [ "secret" "hostname" "ports" ] service)
        {
          ok = unknown == [ ];
          message = "no secret is called ${builtins.concatStringsSep ", " unknown}";
        }
        {
          ok = address.isOnionHostname service.hostname;
          message = "hostname must be a version 3 onion address, got \"${service.hostname}\"";
        }
      ]
      ++ map (ruled "ports" "port") (builtins.attrNames service.ports)
      ++ map (port: ruled "ports.${port}" "target" service.ports.${port}) (builtins.attrNames service.ports)
    ) service;

  parseGuest =
    where: given:
    let
      guest = defaults.guest // given // { bootAgent = defaults.bootAgent // attributeOr { } "bootAgent" given; };
    in
    require "${where}: guest" [
      (ruled "adminUser" "account" guest.adminUser)
      (ruled "system" "system" guest.system)
      {
        ok = !(rules.follows "takenUser" guest.adminUser);
        message = "adminUser must not be ${rules.says "takenUser"}, got \"${guest.adminUser}\"";
      }
    ] guest;

  # where: what to call the file in an error; facts: the parsed JSON  ->  the same, complete and checked.
  parseFacts =
    where: facts:
    let
      secrets = attributeOr { } "secrets" facts;
      services = attributeOr { } "services" facts;
      sshHostKey = attributeOr null "sshHostKey" facts;
      parsedSecrets = builtins.mapAttrs (parseSecret where) secrets;
    in
    require where
      (
        [
          (hasFields [ "version" "stack" "vault" "identity" ] facts)
          {
            ok = facts.version == 1;
            message = "version must be 1, got ${builtins.toJSON facts.version}: run `pulumi up` with this checkout";
          }
          (ruled "stack" "stack" facts.stack)
          (ruled "vault.keyUrl" "keyUrl" (attributeOr null "keyUrl" facts.vault))
          (ruled "identity.clientId" "clientId" (attributeOr null "clientId" facts.identity))
          {
            ok = sshHostKey == null || secrets ? ${sshHostKey};
            message = "sshHostKey is ${builtins.toJSON sshHostKey}, and no secret is called so";
          }
        ]
        ++ everyName "secret" secrets
        ++ everyName "service" services
      )
      (
        facts
        // {
          secrets = parsedSecrets;
          services = builtins.mapAttrs (parseService where parsedSecrets) services;
          guest = parseGuest where (attributeOr { } "guest" facts);
          vaultAgent = parseVaultAgent where (attributeOr null "vaultAgent" facts);
          status = attributeOr null "status" facts;
          logs = parseLogs where (attributeOr null "logs" facts);
          update = parseUpdate where (attributeOr null "update" facts);
          inherit sshHostKey;
          replica = parseReplica where services (attributeOr null "replica" facts);
          frontEnd = parseFrontEnd where facts.stack (attributeOr null "frontEnd" facts);
          dataDisk = attributeOr false "dataDisk" facts;
        }
      );
in
{
  inherit parseFacts;

  # A stack's folder  ->  { name; directory; facts; }
  readStack = name: directory: {
    inherit name directory;
    facts = parseFacts "stacks/${name}/facts.json" (builtins.fromJSON (builtins.readFile (directory + "/facts.json")));
  };
}
