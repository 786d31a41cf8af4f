# A replica of a balanced address: it stays down until user data says which one it is, and then runs with the key and the
# address of that one, under the front end's address.
{
  azureNode,
  fixtures,
  guestNode,
  ...
}:
{
  name = "replica";

  nodes = {
    azure = azureNode { machine.userData = "/run/user-data"; };
    guest = {
      imports = [
        guestNode
        ../modules/replica.nix
      ];
      sealed-onion = {
        secrets.onion.sealedFile = "${fixtures.sealed}/onion.sops.json";
        onionServices.site = {
          secret = "onion";
          # The address that the front end publishes, of which nothing here has the key.
          hostname = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion";
        };
        replica.services.site = [
          {
            secret = "onion";
            inherit (fixtures) hostname;
          }
        ];
      };
    };
  };

  testScript = ''
    azure.start()
    azure.succeed("echo '{\"version\":1,\"replica\":2,\"secrets\":{}}' >/run/user-data; systemctl start loopback-azure")
    guest.start()

    with subtest("a number that the image does not know keeps tor down, and the console says so"):
        guest.wait_until_succeeds("journalctl --output cat | grep -q 'this replica stays down: user data must say which replica it is, 1 to 1, got 2'")
        guest.fail("systemctl is-active tor.service")

    with subtest("once it is known which one it is, tor starts by itself"):
        azure.succeed("echo '{\"version\":1,\"replica\":1,\"secrets\":{}}' >/run/user-data; systemctl reload loopback-azure")
        guest.wait_until_succeeds("systemctl is-active tor.service")
        assert guest.succeed("cat /run/sealed-onion-replica/number").strip() == "1"

    with subtest("with its own key, under the address that is not its own"):
        assert guest.succeed("cat /run/tor/onion/site/hostname").strip() == "${fixtures.hostname}"
        guest.succeed("grep -q '^MasterOnionAddress a*d.onion$' /run/tor/onion/site/ob_config")
  '';
}
