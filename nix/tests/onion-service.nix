# NixOS's own tor, OpenSSH and darkhttpd, confined: the declared address, clients that need a key, nothing that listens
# beyond loopback. Wrong keys and logins are proved on the machine that `npm run rehearse -- --boot` boots.
{
  azureNode,
  fixtures,
  guestNode,
  ...
}:
{
  name = "onion-service";

  nodes = {
    azure = azureNode { };
    guest = {
      imports = [ guestNode ];
      sealed-onion = {
        secrets.onion.sealedFile = "${fixtures.sealed}/onion.sops.json";
        secrets.friend.sealedFile = "${fixtures.sealed}/friend.sops.json";
        onionServices.site = {
          secret = "onion";
          inherit (fixtures) hostname;
          clientAuthorization = [ "friend" ];
          ssh = true;
        };
      };
      users.users.operator = {
        isNormalUser = true;
        openssh.authorizedKeys.keys = [ fixtures.sshKey ];
      };
    };
  };

  testScript = ''
    folder = "/run/tor/onion/site"

    azure.start()
    azure.succeed("systemctl start loopback-azure")
    guest.start()

    with subtest("tor serves the declared address"):
        guest.wait_until_succeeds("systemctl is-active tor.service")
        guest.wait_until_succeeds(f"test -e {folder}/hostname")
        assert guest.succeed(f"cat {folder}/hostname").strip() == "${fixtures.hostname}"
        assert guest.succeed(f"ls {folder}/authorized_clients").split() == ["friend.auth"]

    with subtest("the key's copy is on a tmpfs, for tor alone"):
        assert guest.succeed(f"stat -f -c %T {folder}").strip() == "tmpfs"
        assert guest.succeed(f"stat -c '%U %a' {folder}").strip() == "tor 700"
        assert guest.succeed("find /var/lib/tor -name 'hs_ed25519*'") == ""

    with subtest("the site and SSH listen on loopback alone"):
        guest.wait_until_succeeds("curl -sf http://127.0.0.1:8440/ | grep '<html' >&2")
        guest.wait_for_open_port(22, "127.0.0.1")
        listening = [line.split()[3] for line in guest.succeed("ss -Htln").splitlines()]
        assert {"127.0.0.1:22", "127.0.0.1:8440"} <= set(listening), listening
        assert all(address.startswith(("127.0.0.1:", "[::1]:")) for address in listening), listening
  '';
}
