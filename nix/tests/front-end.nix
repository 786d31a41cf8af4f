# A front end: Onionbalance starts once its key is open, takes it for the key of the address, and reaches tor and nothing
# else. Here is no Tor network: what it publishes is rehearsed on one (npm run rehearse -- --replicas 3).
{
  azureNode,
  fixtures,
  guestNode,
  ...
}:
{
  name = "front-end";

  nodes = {
    azure = azureNode { };
    guest = {
      imports = [
        guestNode
        ../modules/front-end.nix
      ];
      sealed-onion = {
        secrets.onion.sealedFile = "${fixtures.sealed}/onion.sops.json";
        frontEnd.services.site = {
          secret = "onion";
          inherit (fixtures) hostname;
          backends = [ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion" ];
        };
      };
    };
  };

  testScript = ''
    azure.start()
    guest.start()

    with subtest("without its key it does not start"):
        guest.wait_for_unit("tor.service")
        guest.fail("systemctl is-active onionbalance.service")

    with subtest("it starts by itself when the key is open"):
        azure.succeed("systemctl start loopback-azure")
        guest.wait_until_succeeds("systemctl is-active onionbalance.service")

    with subtest("it waits for a tor that knows the network, and does not end"):
        guest.sleep(5)
        guest.succeed("systemctl is-active onionbalance.service")
        assert guest.succeed("systemctl show onionbalance.service --property NRestarts --value").strip() == "0"

    with subtest("its key lies in the credentials of its own unit"):
        guest.fail("su app -s /bin/sh -c 'cat /run/credentials/onionbalance.service/onion'")
        guest.succeed("test -s /run/credentials/onionbalance.service/onion")
  '';
}
