# A machine that cannot hand out its journal goes on serving, says why, and tries again. The account is not there, as in
# status.nix; the script against real blobs is in the project's own tests.
{
  azureNode,
  fixtures,
  guestNode,
  lib,
  ...
}:
{
  name = "logs";

  nodes = {
    azure = azureNode { };
    guest =
      { nodes, ... }:
      {
        imports = [
          guestNode
          ../modules/logs.nix
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
          };
          logs = {
            units = [ "tor.service" ];
            recipients = [ "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" ];
          };
        };
        systemd.timers.write-logs.timerConfig.OnUnitInactiveSec = lib.mkForce "2s";
      };
  };

  testScript = ''
    unwritten = "journalctl -u write-logs --output cat | grep -c 'the logs are not handed out: sodemo.blob.core.windows.net/status'"

    azure.start()
    azure.succeed("systemctl start loopback-azure")
    guest.start()

    with subtest("it says why it cannot hand them out, and tries again"):
        guest.wait_until_succeeds(unwritten)
        before = int(guest.succeed(unwritten))
        guest.wait_until_succeeds(f"test $({unwritten}) -gt {before}")

    with subtest("what it serves does not depend on that"):
        guest.wait_until_succeeds("systemctl is-active tor.service")

    with subtest("what it has encrypted is for root"):
        assert guest.succeed("stat -c '%U %a' /run/sealed-onion-logs").strip() == "root 700"
  '';
}
