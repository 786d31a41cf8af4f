# Reads what `pulumi up` writes to stacks/<stack>/: facts.json and the sealed files. Plain builtins, so that any Nix
# can check it without a nixpkgs. Mistakes are refused here with the file and the field, not deep inside a module.
let
  address = import ./onion-address.nix;

  attributeOr =
    default: name: set:
    if set ? ${name} then set.${name} else default;

  # The first of `checks` ([ { ok; message; } ]) that does not hold stops the evaluation.
  require =
    where: checks: value:
    builtins.foldl' (result: check: if check.ok then result else throw "${where}: ${check.message}") value checks;

  missing = wanted: set: builtins.filter (name: !(set ? ${name})) wanted;

  hasFields = wanted: set: {
    ok = builtins.isAttrs set && missing wanted set == [ ];
    message = "needs ${builtins.concatStringsSep ", " (missing wanted set)}";
  };

  parseSecret =
    where: name: secret:
    require "${where}: secrets.${name}" [
      (hasFields [ "path" "owner" "group" "mode" "sealedFile" ] secret)
      {
        # Nothing else than a file of this very folder: no "..", no other stack's secret.
        ok = builtins.match "[A-Za-z0-9][A-Za-z0-9._-]*\\.sops\\.json" secret.sealedFile != null;
        message = "sealedFile must be a <name>.sops.json beside facts.json, got \"${secret.sealedFile}\"";
      }
      {
        ok = builtins.match "/.+" secret.path != null;
        message = "path must be absolute, got \"${secret.path}\"";
      }
      {
        ok = builtins.match "0[0-7]{3}" secret.mode != null;
        message = "mode must be four octal digits such as 0400, got \"${secret.mode}\"";
      }
    ] ({ restart = [ ]; } // secret);

  parseService =
    where: secrets: name: service:
    let
      complete = {
        clientAuthorization = [ ];
        ssh = false;
      }
      // service;
      unknown = builtins.filter (secret: !(secrets ? ${secret})) ([ complete.secret ] ++ complete.clientAuthorization);
    in
    require "${where}: services.${name}" [
      (hasFields [ "secret" "hostname" "ports" ] service)
      {
        ok = unknown == [ ];
        message = "no secret is called ${builtins.concatStringsSep ", " unknown}";
      }
      {
        ok = address.isOnionHostname service.hostname;
        message = "hostname must be a version 3 onion address, got \"${service.hostname}\"";
      }
    ] complete;

  # The defaults of components/vm/boot-agent.ts: facts written before a switch was there still mean the same.
  completeGuest =
    guest:
    {
      adminUser = "operator";
      imageGeneration = 2;
      readyWhenUnsealed = true;
      userDataSecrets = false;
    }
    // guest
    // {
      bootAgent = {
        checkIn = true;
        hostname = false;
        sshKeys = false;
        entropy = false;
      }
      // attributeOr { } "bootAgent" guest;
    };

  # where: what to call the file in an error; facts: the parsed JSON  ->  the same, complete and checked.
  parseFacts =
    where: facts:
    let
      secrets = builtins.mapAttrs (parseSecret where) (attributeOr { } "secrets" facts);
    in
    require where
      [
        (hasFields [ "version" "stack" "vault" "identity" ] facts)
        {
          ok = facts.version == 1;
          message = "version must be 1, got ${builtins.toJSON facts.version}: run `pulumi up` with this checkout";
        }
        {
          ok = builtins.match "[A-Za-z0-9][A-Za-z0-9_.-]*" facts.stack != null;
          message = "stack must be letters, digits, dots and dashes, got \"${facts.stack}\"";
        }
      ]
      (
        facts
        // {
          inherit secrets;
          services = builtins.mapAttrs (parseService where secrets) (attributeOr { } "services" facts);
          guest = completeGuest (attributeOr { } "guest" facts);
          vaultAgent = attributeOr null "vaultAgent" facts;
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
