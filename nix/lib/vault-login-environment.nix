# The environment of scripts/vault-login.sh, as plain data, from the same options as the agent's settings.
agent:
let
  given = {
    ADDRESS = agent.address;
    MOUNT = agent.mount;
    ROLE = agent.role;
    RESOURCE = agent.resource;
    CLIENT_ID = agent.clientId;
    CA = agent.caCertificate;
  };
  names = builtins.filter (name: given.${name} != null) (builtins.attrNames given);
in
builtins.listToAttrs (
  map (name: {
    name = "SEALED_ONION_VAULT_${name}";
    value = toString given.${name};
  }) names
)
