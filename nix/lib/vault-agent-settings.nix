# The configuration of Vault Agent, and of OpenBao's, as plain data: what the options of modules/vault-agent.nix mean.
# https://developer.hashicorp.com/vault/docs/agent-and-proxy/agent
#
# `agent` holds flavour, address, caCertificate, mount, role, resource, clientId, listener, and templates by name;
# `folder` is where, in memory, the token and what is rendered lie.
{ agent, folder }:
let
  # An absent value is left out: the agent takes an empty string for a value.
  withoutNulls = set: removeAttrs set (builtins.filter (name: set.${name} == null) (builtins.attrNames set));

  socket = builtins.match "unix:(/.+)" agent.listener;
  listener =
    if socket != null then
      {
        type = "unix";
        address = builtins.head socket;
        socket_mode = "0660";
        tls_disable = true;
      }
    else
      {
        type = "tcp";
        address = agent.listener;
        tls_disable = true; # loopback only: the option's type admits nothing else
      };

  methods = {
    vault = {
      type = "azure";
      mount_path = "auth/${agent.mount}";
      config = withoutNulls {
        inherit (agent) role resource;
        client_id = agent.clientId;
      };
    };
    # OpenBao's agent has no azure method: scripts/vault-login.sh logs in, and leaves the token here.
    openbao = {
      type = "token_file";
      config.token_file_path = "${folder}/login-token";
      max_backoff = "30s"; # by default 5 minutes, in which a login that succeeds at last would lie about
    };
  };
in
{
  vault = withoutNulls {
    inherit (agent) address;
    ca_cert = agent.caCertificate;
    retry.num_retries = 5;
  };

  auto_auth = {
    method = [ methods.${agent.flavour} ];
    sink = [
      {
        type = "file";
        config = {
          path = "${folder}/token";
          mode = 416; # 0640, which JSON cannot write
        };
      }
    ];
  };

  cache = { };
  # Requests through the listener use the agent's token. The header keeps out anybody who can only make a program fetch a
  # URL: Vault's own clients always send it.
  api_proxy.use_auto_auth_token = true;
  listener = [ (listener // { require_request_header = true; }) ];

  exit_after_auth = false;
  template_config.exit_on_retry_failure = false;
  template = map (name: {
    inherit (agent.templates.${name}) contents;
    destination = "${folder}/rendered/${name}";
    perms = "0600";
    create_dest_dirs = false;
    error_on_missing_key = true;
  }) (builtins.attrNames agent.templates);
}
