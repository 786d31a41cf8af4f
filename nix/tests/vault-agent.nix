# The agent logs in to a real Vault with the machine's identity, renders a secret for a service that waited for it, and
# serves those it may.
{
  azureNode,
  fixtures,
  guestNode,
  nowhere,
  ...
}:
{
  name = "vault-agent";

  nodes = {
    azure =
      { config, ... }:
      {
        imports = [
          (azureNode {
            # Vault asks the metadata service too; on one network that address is the guest's, so its own is elsewhere.
            moreMachines.vault = {
              identities = [ "guest" ];
              listen = {
                proxy = "127.0.0.1:3129";
                metadata = "${config.networking.primaryIPAddress}:8081";
              };
            };
          })
        ];
      };

    vault =
      {
        lib,
        nodes,
        pkgs,
        ...
      }:
      let
        azure = nodes.azure.networking.primaryIPAddress;
      in
      {
        nixpkgs.config.allowUnfreePredicate = package: lib.getName package == "vault-bin";
        networking.hosts.${azure} = [
          "login.microsoftonline.com"
          "management.azure.com"
        ];
        security.pki.certificateFiles = [ "${fixtures.authority}/certificate.pem" ];
        networking.firewall.allowedTCPPorts = [ 8200 ];
        networking.nftables = {
          enable = true;
          tables.metadata = {
            family = "ip";
            content = ''
              chain output {
                type nat hook output priority -100;
                ip daddr 169.254.169.254 tcp dport 80 dnat to ${azure}:8081
              }
            '';
          };
        };
        services.vault = {
          enable = true;
          package = pkgs.vault-bin;
          dev = true;
          devRootTokenID = "root";
          address = "0.0.0.0:8200";
        };
        environment.systemPackages = [ pkgs.vault-bin ];
        environment.variables = {
          VAULT_ADDR = "http://127.0.0.1:8200";
          VAULT_TOKEN = "root";
        };
      };

    guest =
      { nodes, pkgs, ... }:
      {
        imports = [ guestNode ];
        # Vault's URL is https, or http on the loopback: a socket there leads to the server, which speaks no TLS.
        systemd.sockets.vault-server = {
          wantedBy = [ "sockets.target" ];
          listenStreams = [ "127.0.0.1:8200" ];
        };
        systemd.services.vault-server.serviceConfig.ExecStart =
          "${pkgs.systemd}/lib/systemd/systemd-socket-proxyd ${nodes.vault.networking.primaryIPAddress}:8200";
        sealed-onion.vaultAgent = {
          enable = true;
          package = pkgs.vault-bin; # as released: no cache has either, and to build one takes an hour
          address = "http://127.0.0.1:8200";
          role = "web";
          inherit (fixtures) clientId;
          templates.database = {
            contents = ''{{ with secret "secret/data/database" }}{{ .Data.data.password }}{{ end }}'';
            owner = "app";
            group = "app";
            restart = "app.service";
          };
        };
      };
  };

  testScript = ''
    ${nowhere}
    azure.start()
    azure.succeed("systemctl start loopback-azure")
    vault.start()
    vault.wait_for_open_port(8200)
    guest.start()

    with subtest("before there is a role the agent is refused and keeps trying"):
        vault.succeed("vault auth enable azure")
        vault.succeed("vault write auth/azure/config tenant_id=${fixtures.tenantId} resource=https://management.azure.com/")
        guest.wait_until_succeeds("journalctl -u vault-agent | grep 'error authenticating' >&2")
        guest.fail("test -e /run/vault-agent/token")

    with subtest("with a role for this machine's identity it logs in and renders the secret"):
        vault.succeed("vault kv put secret/database password=first-password")
        vault.succeed("echo 'path \"secret/data/database\" { capabilities = [\"read\"] }' | vault policy write web -")
        vault.succeed("vault write auth/azure/role/web token_policies=web token_ttl=1h bound_service_principal_ids=${fixtures.principalId}")
        guest.wait_until_succeeds("test -e /run/vault-secrets/database")
        assert guest.succeed("cat /run/vault-secrets/database").strip() == "first-password"
        assert guest.succeed("stat -c '%U %a' /run/vault-secrets/database").strip() == "app 400"
        guest.wait_until_succeeds("systemctl is-active app.service")

    with subtest("the token is in memory, for one group"):
        assert guest.succeed("stat -f -c %T /run/vault-agent").strip() == "ramfs"
        assert guest.succeed("stat -c '%U:%G %a' /run/vault-agent/token").strip() == "vault-agent:vault-agent 640"

    with subtest("programs on the machine read through it, and nobody from outside"):
        read = "curl -sf -H X-Vault-Request:true http://127.0.0.1:8100/v1/secret/data/database"
        assert "first-password" in guest.succeed(read)
        guest.fail("curl -sf http://127.0.0.1:8100/v1/secret/data/database")
        guest.fail(read.replace("data/database", "data/other"))

    with subtest("a machine with another identity is refused"):
        vault.succeed("vault write auth/azure/role/web token_policies=web bound_service_principal_ids=${fixtures.clientId}")
        guest.succeed("systemctl restart vault-agent")
        guest.wait_until_succeeds("journalctl -u vault-agent --since=-20s | grep 'error authenticating' >&2")

    with subtest("neither secret is in a store path, in the journal or in a disk block"):
        assert_nowhere(guest, [b"first-password", b"${fixtures.token}"], in_the_store="${fixtures.clientId}")
  '';
}
