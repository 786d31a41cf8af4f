# A new machine that is asked for a system which its stack's key did not sign serves nothing, and says why. What needs a
# container and real closures is in the project's own tests of the script.
{
  azureNode,
  fixtures,
  guestNode,
  ...
}:
{
  name = "update";

  nodes = {
    azure = azureNode { machine.userData = "/run/user-data"; };
    guest = {
      imports = [
        guestNode
        ../modules/update.nix
      ];
      sealed-onion = {
        secrets.token.sealedFile = "${fixtures.sealed}/token.sops.json";
        update = {
          enable = true;
          stack = "demo";
          containerUrl = "https://sodemo.blob.core.windows.net/systems";
          publicKey = "sealed-onion-demo:3JpEZ4S5bBDpBa8wEwyxgIxBa7KYWTLvk6nQ7dVgSyA=";
          interval = "2s";
        };
      };
    };
  };

  testScript = ''
    wish = '{"system":{"path":"/nix/store/00000000000000000000000000000000-system","generation":1,"signature":"other:AAAA"}}'

    azure.start()
    azure.succeed(f"echo '{wish}' >/run/user-data; systemctl start loopback-azure")
    guest.start()

    with subtest("what another key signed is refused, on the console too"):
        guest.wait_for_console_text("it is not signed by sealed-onion-demo")

    with subtest("nothing is opened before it is known what to run"):
        guest.fail("test -e /run/secrets/token")
        guest.fail("systemctl is-active sops-install-secrets.service")

    with subtest("no daemon builds"):
        guest.fail("systemctl is-active nix-daemon.service nix-daemon.socket")
  '';
}
