# Tor gets the key that was sealed, on a tmpfs, and serves its address; a foreign or damaged key never becomes another one.
{
  azureNode,
  fixtures,
  guestNode,
  nowhere,
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
    ${nowhere}
    folder = "/run/tor/onion/site"


    def switch(name: str) -> None:
        guest.succeed(f"/run/booted-system/specialisation/{name}/bin/switch-to-configuration test >&2 || true")


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

    with subtest("the operator logs in with the key, and nobody without"):
        guest.succeed("install -m 0600 ${fixtures.sshPrivateKey} /run/operator-key")
        ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
        assert guest.succeed(f"{ssh} -i /run/operator-key operator@127.0.0.1 id -un </dev/null").strip() == "operator"
        guest.fail(f"{ssh} -i /run/operator-key root@127.0.0.1 true </dev/null")
        guest.fail(f"{ssh} operator@127.0.0.1 true </dev/null")

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

    with subtest("the key is in the secret and in tor's copy, and in no store path, no journal and no disk block"):
        needle = base64.b64decode(guest.succeed("tail -c 64 /run/secrets/onion | head -c 16 | base64"))
        note_place(guest, "copy", f"{folder}/hs_ed25519_secret_key")
        assert holds(guest, "copy", [needle])
        assert_nowhere(guest, [needle], in_the_store="${fixtures.hostname}")
  '';
}
