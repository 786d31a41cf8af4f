# A machine that cannot write how it is goes on serving, says why, and tries again. The account is not there: its blobs
# would be Azurite's, which these tests do without; the script against real blobs is in the project's own tests.
{
  azureNode,
  fixtures,
  guestNode,
  ...
}:
{
  name = "status";

  nodes = {
    azure = azureNode { };
    guest =
      { nodes, ... }:
      {
        imports = [
          guestNode
          ../modules/status.nix
        ];
        networking.hosts.${nodes.azure.networking.primaryIPAddress} = [ "sodemo.blob.core.windows.net" ];
        sealed-onion = {
          secrets.onion.sealedFile = "${fixtures.sealed}/onion.sops.json";
          onionServices.site = {
            secret = "onion";
            inherit (fixtures) hostname;
          };
          status = {
            enable = true;
            containerUrl = "https://sodemo.blob.core.windows.net/status";
            interval = "2s";
          };
        };
      };
  };

  testScript = ''
    unwritten = "journalctl -u write-status --output cat | grep -c 'the status stays unwritten: sodemo.blob.core.windows.net/status'"

    azure.start()
    azure.succeed("systemctl start loopback-azure")
    guest.start()

    with subtest("it says why it cannot write, and tries again"):
        guest.wait_until_succeeds(unwritten)
        before = int(guest.succeed(unwritten))
        guest.wait_until_succeeds(f"test $({unwritten}) -gt {before}")

    with subtest("what it serves does not depend on that"):
        guest.wait_until_succeeds("systemctl is-active tor.service")
        guest.succeed("systemctl is-active app.service")

    with subtest("it follows tor's descriptors by the control socket"):
        guest.wait_until_succeeds("systemctl is-active follow-descriptors.service")

    with subtest("what it knows is for root"):
        assert guest.succeed("stat -c '%U %a' /run/sealed-onion-status").strip() == "root 700"
  '';
}
