# NixOS's own switch to another configuration, and back: a secret rotates and goes away. What else happens to secrets is
# proved on the machine that `npm run rehearse -- --boot` boots, which has no switch of its own.
{
  azureNode,
  fixtures,
  guestNode,
  ...
}:
{
  name = "sealed-secrets";

  nodes = {
    azure = azureNode { };
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
    import hashlib

    token = "${fixtures.token}"
    rotated = "${fixtures.tokenRotated}"


    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()


    def app_has(text: str) -> None:
        guest.wait_until_succeeds(f"grep -q {digest(text)} /run/app/digest")


    def switch(name: str) -> None:
        guest.succeed(f"/run/booted-system/specialisation/{name}/bin/switch-to-configuration test >&2")


    azure.start()
    azure.succeed("systemctl start loopback-azure")
    guest.start()

    with subtest("the secret is its owner's, in memory"):
        guest.wait_until_succeeds("systemctl is-active app.service")
        app_has(token)
        assert guest.succeed("stat -L -c '%U:%G %a' /run/secrets/token").strip() == "app:app 440"
        assert guest.succeed("stat -f -c %T /run/secrets.d").strip() == "ramfs"

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
  '';
}
