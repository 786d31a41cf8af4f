# The data disk: formatted when it is new, never otherwise; what is kept on it outlives the machine's own disk.
{
  fixtures,
  guestNode,
  azureNode,
  ...
}:
{
  name = "data-disk";

  nodes = {
    azure = azureNode { };
    guest =
      { pkgs, ... }:
      {
        imports = [
          guestNode
          ../modules/data-disk.nix
        ];
        virtualisation.emptyDiskImages = [ 128 ];
        environment.systemPackages = [ pkgs.e2fsprogs ];
        sealed-onion = {
          secrets.onion.sealedFile = "${fixtures.sealed}/onion.sops.json";
          onionServices.site = {
            secret = "onion";
            inherit (fixtures) hostname;
          };
          dataDisk = {
            enable = true;
            device = "/dev/vdb";
            keep."/var/lib/kept" = [ "keeper.service" ];
          };
        };
        systemd.services.keeper = {
          wantedBy = [ "multi-user.target" ];
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
            ExecStart = "${pkgs.runtimeShell} -c 'echo started >>/var/lib/kept/starts'";
          };
        };
      };
  };

  testScript = ''
    def starts() -> int:
        guest.wait_until_succeeds("systemctl is-active keeper.service")
        return int(guest.succeed("wc -l </var/lib/kept/starts"))


    azure.start()
    azure.succeed("systemctl start loopback-azure")
    guest.start()

    with subtest("a new disk is formatted, and tor keeps its state there"):
        guest.wait_until_succeeds("systemctl is-active tor.service")
        guest.succeed("mountpoint /var/lib/tor")
        guest.succeed("test -e /data/var/lib/tor/state")
        assert starts() == 1
        guest.succeed("journalctl -u data-disk | grep 'it is formatted'")

    with subtest("after a reboot it is used as it is"):
        guest.shutdown()
        guest.start()
        assert starts() == 2
        guest.fail("journalctl --boot -u data-disk | grep 'it is formatted'")

    with subtest("somebody else's disk is left as it is, what is kept on it does not start, and the console says why"):
        guest.succeed("systemctl mask --runtime keeper.service tor.service; systemctl stop keeper.service tor.service")
        guest.succeed("umount /var/lib/kept /var/lib/tor /data; tune2fs -L photos /dev/vdb")
        guest.shutdown()
        guest.start()
        guest.wait_for_console_text("the data disk is not used: its file system is called 'photos'")
        guest.fail("systemctl is-active tor.service")
        guest.fail("mountpoint /var/lib/tor")
  '';
}
