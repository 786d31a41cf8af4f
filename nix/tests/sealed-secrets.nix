# Secrets arrive late, are refused and then granted, survive a reboot, rotate, go away; and the plaintext is nowhere else.
{
  azureNode,
  fixtures,
  guestNode,
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
    import base64
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


    # The search's needle never stands in a command: what is typed may be kept.
    def search(place: str, text: str) -> None:
        needle = base64.b64encode(text.encode()).decode()
        guest.succeed(f"echo {needle} | base64 -d >/run/needle")
        guest.succeed(f"LC_ALL=C grep -r -a -l -F -f /run/needle {place} >&2")


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
        guest.wait_for_unit("app.service")
        app_has(token)
        assert guest.succeed("stat -L -c '%U:%G %a' /run/secrets/token").strip() == "app:app 440"
        assert guest.succeed("stat -f -c %T /run/secrets.d").strip() == "ramfs"

    with subtest("nobody but root gets an answer from the metadata service"):
        ask = "curl -sf -m 5 -H Metadata:true 'http://169.254.169.254/metadata/instance?api-version=2021-02-01'"
        guest.succeed(ask)
        guest.fail(f"runuser -u app -- {ask}")

    with subtest("after a crash everything is back with nobody's help"):
        guest.crash()
        guest.start()
        guest.wait_for_unit("app.service")
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
        guest.succeed("echo Y2FuYXJ5LW9uLXRoZS1kaXNr | base64 -d >/var/canary; sync")
        search("/var/canary", "canary-on-the-disk")
        search("/dev/vda", "canary-on-the-disk")
        guest.succeed("journalctl --sync; journalctl --flush; sync")
        guest.succeed(f"echo {base64.b64encode(token.encode()).decode()} | base64 -d >/run/needle")
        for place in ["$(nix-store -qR /run/current-system)", "/var/log/journal /run/log/journal", "/dev/vda"]:
            guest.fail(f"LC_ALL=C grep -r -a -l -F -f /run/needle {place} >&2")
  '';
}
