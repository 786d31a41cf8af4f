# Tor gets the key that was sealed, on a tmpfs, and serves its address; a foreign or damaged key never becomes another one.
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
      specialisation = {
        foreign.configuration =
          { lib, ... }:
          {
            sealed-onion.secrets.onion.sealedFile = lib.mkForce "${fixtures.sealed}/onion-foreign.sops.json";
          };
        damaged.configuration =
          { lib, ... }:
          {
            sealed-onion.secrets.onion.sealedFile = lib.mkForce "${fixtures.sealed}/onion-damaged.sops.json";
          };
      };
    };
  };

  testScript = ''
    folder = "/run/tor/onion/site"


    def switch(name: str) -> None:
        guest.succeed(f"/run/booted-system/specialisation/{name}/bin/switch-to-configuration test >&2 || true")


    start_all()
    azure.succeed("systemctl start loopback-azure")

    with subtest("tor serves the declared address"):
        guest.wait_for_unit("tor.service")
        guest.wait_until_succeeds(f"test -e {folder}/hostname")
        assert guest.succeed(f"cat {folder}/hostname").strip() == "${fixtures.hostname}"
        assert guest.succeed(f"ls {folder}/authorized_clients").split() == ["friend.auth"]

    with subtest("the key's copy is on a tmpfs, for tor alone"):
        assert guest.succeed(f"stat -f -c %T {folder}").strip() == "tmpfs"
        assert guest.succeed(f"stat -c '%U %a' {folder}").strip() == "tor 700"
        guest.fail("find /var/lib/tor -name 'hs_ed25519*' | grep .")

    with subtest("the site and SSH listen on loopback alone"):
        guest.wait_until_succeeds("curl -sf http://127.0.0.1:8440/ | grep -q '<html'")
        guest.wait_for_open_port(22)
        guest.fail("ss -Htln | awk '{print $4}' | grep -v '^127\\.0\\.0\\.1:\\|^\\[::1\\]:' | grep -v ':5355$' | grep .")

    with subtest("a foreign key stops tor, and the console says why"):
        switch("foreign")
        guest.wait_for_console_text("sealed-onion: tor stays down: .*does not match")
        guest.fail(f"test -e {folder}/hostname")

    with subtest("a damaged key stops tor before it starts"):
        switch("damaged")
        guest.wait_for_console_text("onion service site stays down: its key in /run/secrets/onion has 60 bytes")

    with subtest("the right key brings the address back with nobody's help"):
        guest.succeed("/run/booted-system/bin/switch-to-configuration test >&2 || true")
        guest.wait_until_succeeds(f"grep -q ${fixtures.hostname} {folder}/hostname")

    with subtest("the key is in no file but the secret and tor's copy"):
        guest.succeed("tail -c 64 /run/secrets/onion | head -c 16 | od -An -tx1 | tr -d ' \\n' | sed 's/../\\\\x&/g' >/run/pattern")
        guest.succeed(f"LC_ALL=C grep -a -q -P -f /run/pattern {folder}/hs_ed25519_secret_key")
        guest.succeed("journalctl --sync; journalctl --flush; sync")
        for place in ["$(nix-store -qR /run/current-system)", "/var/log/journal /run/log/journal", "/dev/vda"]:
            guest.fail(f"LC_ALL=C grep -r -a -l -P -f /run/pattern {place} >&2")
  '';
}
