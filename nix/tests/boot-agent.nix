# The machine reports ready when its secrets are open, lets in whom Azure names, takes its name, seeds its random pool, and
# follows what is rotated in its user data.
{
  azureNode,
  fixtures,
  guestNode,
  nowhere,
  ...
}:
{
  name = "boot-agent";

  nodes = {
    azure = azureNode {
      access = { };
      machine.userData = "/run/user-data";
    };
    guest =
      { pkgs, ... }:
      {
        imports = [ guestNode ];
        # The driver calls machines by it, and with the name left to Azure there would be none.
        system.name = "guest";
        sealed-onion.ssh.enable = true;
        sealed-onion.bootAgent = {
          enable = true;
          readyWhenUnsealed = true;
          adminUser = "operator";
          hostname.enable = true;
          entropy.enable = true;
          userDataSecrets = {
            enable = true;
            interval = "3s";
          };
        };
        virtualisation.qemu.options = [
          "-acpitable sig=OEM0,data=${pkgs.writeText "entropy" "as many random bytes as a host would leave"}"
        ];
      };
  };

  testScript = ''
    ${nowhere}
    import hashlib


    def app_has(text: str) -> None:
        guest.wait_until_succeeds(f"grep -q {hashlib.sha256(text.encode()).hexdigest()} /run/app/digest")


    def reported() -> str:
        return "journalctl --sync; journalctl -u loopback-azure | grep '\"state\":\"Succeeded\"' >&2"


    azure.start()
    azure.wait_for_unit("multi-user.target")
    azure.succeed("touch /run/user-data; systemctl start loopback-azure")
    guest.start()

    with subtest("a machine whose secrets are sealed does not report ready"):
        guest.wait_for_console_text("the secrets are still sealed: identity")
        azure.fail(reported())

    with subtest("it reports ready once they are open"):
        azure.succeed("change-azure '.vaults[].access.guest = [\"decrypt\"]'")
        guest.wait_until_succeeds("systemctl is-active azure-check-in.service")
        azure.wait_until_succeeds(reported())

    with subtest("the administrator's keys are Azure's"):
        guest.wait_until_succeeds("systemctl is-active azure-authorized-keys.service")
        assert guest.succeed("cat /run/authorized-keys/operator").strip() == "${fixtures.sshKey}"
        assert "wheel" in guest.succeed("id -nG operator").split()

    with subtest("with the key one logs in, and is the administrator"):
        guest.succeed("install -m 0600 ${fixtures.sshPrivateKey} /run/operator-key")
        ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
        guest.wait_until_succeeds("systemctl is-active sshd.service")
        assert guest.succeed(f"{ssh} -i /run/operator-key operator@127.0.0.1 sudo -n id -un </dev/null").strip() == "root"
        guest.fail(f"{ssh} -i /run/operator-key root@127.0.0.1 true </dev/null")
        guest.fail(f"{ssh} operator@127.0.0.1 true </dev/null")

    with subtest("the name is Azure's"):
        guest.wait_until_succeeds("test $(hostname) = web")

    with subtest("the random pool was seeded"):
        guest.succeed("systemctl is-active azure-entropy.service")

    with subtest("a secret rotated in user data arrives with no rebuild and no reboot"):
        app_has("${fixtures.token}")
        rotated = "${fixtures.sealed}/token-rotated.sops.json"
        azure.succeed(f"(printf '{{\"version\":1,\"secrets\":{{\"token\":'; cat {rotated}; echo '}}}}') >/run/user-data")
        azure.succeed("systemctl reload loopback-azure")
        app_has("${fixtures.tokenRotated}")

    with subtest("what does not open leaves the secrets in use"):
        azure.succeed("echo nonsense >/run/user-data; systemctl reload loopback-azure")
        guest.wait_until_succeeds("journalctl -u refresh-secrets | grep 'user data is left alone' >&2")
        app_has("${fixtures.tokenRotated}")

    with subtest("without user data the image's own secret is back"):
        azure.succeed(": >/run/user-data; systemctl reload loopback-azure")
        app_has("${fixtures.token}")

    with subtest("neither of Azure's agents is there"):
        guest.fail("systemctl cat waagent.service")
        guest.fail("systemctl cat cloud-init.service")

    with subtest("the plaintexts are in no store path, no journal and no disk block"):
        plaintexts = [b"${fixtures.token}", b"${fixtures.tokenRotated}"]
        assert_nowhere(guest, plaintexts, in_the_store="${fixtures.clientId}")
  '';
}
