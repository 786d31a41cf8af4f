# What `components/stack/fleet-facts.ts` writes for a stack of several machines. Of what comes from no configuration, only
# what would be silent is checked: a path that leads elsewhere, an address that is none.
{ require, ruled }:
let
  address = import ./onion-address.nix;
in
{
  parseReplica =
    where: services: given:
    if given == null then
      null
    else
      require "${where}: replica" (
        map (name: {
          ok = services ? ${name};
          message = "no service is called ${name}";
        }) (builtins.attrNames given.services)
        ++ map (replica: {
          ok = address.isOnionHostname replica.hostname;
          message = "hostname must be a version 3 onion address, got \"${replica.hostname}\"";
        }) (builtins.concatLists (builtins.attrValues given.services))
      ) given;

  parseFrontEnd =
    where: stack: given:
    if given == null then
      null
    else
      require "${where}: frontEnd" [
        (ruled "of" "stack" (given.of or null))
        {
          ok = stack == "${given.of}-front-end";
          message = "it is of ${given.of}, so its stack must be ${given.of}-front-end, got ${stack}";
        }
      ] given;
}
