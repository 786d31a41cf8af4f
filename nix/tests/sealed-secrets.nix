# Secrets arrive late, are refused and then granted, survive a reboot, rotate, go away; and the plaintext is nowhere else.
{
  azureNode,
  fixtures,
  guestNode,
  nowhere,
  ...
}:
{
  name = "sealed-secrets";

  nodes = {
    azure = azureNode { access = { }; };
    guest =
      { lib, ... }:
      {
        imports = [ guestNode ];
        specialisation = {
          rotated.configuration.sealed-onion.secrets.token.sealedFile = "${fixtures.sealed}/token-rotated.sops.json";
          removed.configuration.sealed-onion.secrets = lib.mkForce {
            friend.sealedFile = "${fixtures.sealed}/friend.sops.json";
          };
        };
      };
  };

  testScript = ''
    ${nowhere}
    import hashlib

    token = "${fixtures.token}"
    rotated = "${fixtures.tokenRotated}"
    remedy = "sealed-onion: the secrets are still sealed: "


    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()


    def app_has(text: str) -> None:
        guest.wait_until_succeeds(f"grep -q {digest(text)} /run/app/digest")


    def switch(name: str) -> None:
        guest.succeed(f"/run/booted-system/specialisation/{name}/bin/switch-to-configuration test >&2")


    azure.start()
    azure.wait_for_unit("multi-user.target")

    with subtest("without Azure the machine boots, says what is missing, and keeps trying"):
        guest.start()
        guest.wait_for_console_text(remedy + "the metadata service at 169.254.169.254 does not answer")
        guest.fail("test -e /run/secrets/token")
        guest.fail("systemctl is-active app.service")

    with subtest("without the right it names identity, key and status"):
        azure.succeed("systemctl start loopback-azure")
        guest.wait_for_console_text(
            remedy + "identity ${fixtures.clientId} may not decrypt with ${fixtures.keyUrl} .HTTP 403"
        )
        guest.fail("test -e /run/secrets/token")

    with subtest("once granted the secret arrives, and who waits for it starts"):
        azure.succeed("change-azure '.vaults[].access.guest = [\"decrypt\"]'")
        guest.wait_until_succeeds("systemctl is-active app.service")
        app_has(token)
        assert guest.succeed("stat -L -c '%U:%G %a' /run/secrets/token").strip() == "app:app 440"
        assert guest.succeed("stat -f -c %T /run/secrets.d").strip() == "ramfs"

    with subtest("after a crash everything is back with nobody's help"):
        guest.crash()
        guest.start()
        guest.wait_until_succeeds("systemctl is-active app.service")
        app_has(token)

    with subtest("a rotated secret reaches its consumer, and the generation before stays"):
        switch("rotated")
        app_has(rotated)
        assert guest.succeed("ls /run/secrets.d | grep -x '[0-9]*'").split() == ["1", "2"]

    with subtest("and back"):
        guest.succeed("/run/booted-system/bin/switch-to-configuration test >&2")
        app_has(token)

    with subtest("a removed secret is gone"):
        switch("removed")
        guest.wait_until_succeeds("test -e /run/secrets/friend")
        guest.fail("test -e /run/secrets/token")
        guest.succeed("/run/booted-system/bin/switch-to-configuration test >&2")
        app_has(token)

    with subtest("the plaintext is in no store path, no journal and no disk block"):
        assert_nowhere(guest, [token.encode(), rotated.encode()], in_the_store="${fixtures.clientId}")
  '';
}
