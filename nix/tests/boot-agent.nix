# NixOS's own afterburn reports the machine ready and brings the administrator's keys and the name; the host's random bytes
# come by ACPI. When it reports, logins and user data are proved on the machine that `npm run rehearse -- --boot` boots.
{
  azureNode,
  fixtures,
  guestNode,
  ...
}:
{
  name = "boot-agent";

  nodes = {
    azure = azureNode { };
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
        };
        virtualisation.qemu.options = [
          "-acpitable sig=OEM0,data=${pkgs.writeText "entropy" "as many random bytes as a host would leave"}"
        ];
      };
  };

  testScript = ''
    def reported() -> str:
        return "journalctl --sync; journalctl -u loopback-azure | grep '\"state\":\"Succeeded\"' >&2"


    azure.start()
    azure.succeed("systemctl start loopback-azure")
    guest.start()

    with subtest("it reports ready"):
        guest.wait_until_succeeds("systemctl is-active azure-check-in.service")
        azure.wait_until_succeeds(reported())

    with subtest("the administrator's keys are Azure's"):
        guest.wait_until_succeeds("systemctl is-active azure-authorized-keys.service")
        assert guest.succeed("cat /run/authorized-keys/operator").strip() == "${fixtures.sshKey}"
        assert "wheel" in guest.succeed("id -nG operator").split()

    with subtest("the name is Azure's"):
        guest.wait_until_succeeds("test $(hostname) = web")

    with subtest("the random pool was seeded"):
        guest.succeed("systemctl is-active azure-entropy.service")

    with subtest("neither of Azure's agents is there"):
        guest.fail("systemctl cat waagent.service")
        guest.fail("systemctl cat cloud-init.service")
  '';
}
