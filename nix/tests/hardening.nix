# What the hardened settings promise, tried from inside and from another machine: no password lets anybody in, nothing is
# open although a careless service listens to all, and what is in memory does not come to a disk.
{
  azureNode,
  guestNode,
  ...
}:
{
  name = "hardening";

  nodes = {
    azure = azureNode { };
    guest =
      { lib, pkgs, ... }:
      {
        imports = [ guestNode ];
        # The driver opens root for anyone at the console: undone, as it is what is tested.
        users.users.root.hashedPasswordFile = lib.mkForce null;
        systemd.services.careless = {
          wantedBy = [ "multi-user.target" ];
          serviceConfig = {
            DynamicUser = true;
            ExecStart = "${lib.getExe pkgs.darkhttpd} ${pkgs.writeTextDir "index.html" "careless"} --addr 0.0.0.0 --port 8080";
          };
        };
      };
  };

  testScript =
    { nodes, ... }:
    ''
      guest_address = "${nodes.guest.networking.primaryIPAddress}"
      as_app = "runuser -u app --"

      azure.start()
      azure.succeed("systemctl start loopback-azure")
      guest.start()
      guest.wait_until_succeeds("systemctl is-active app.service")

      with subtest("root is locked, and no account has a password"):
          shadow = [line.split(":") for line in guest.succeed("cat /etc/shadow").splitlines()]
          assert "root" in [name for name, *_ in shadow]
          assert [name for name, password, *_ in shadow if password[:1] not in ("!", "*")] == []
          guest.fail(f"echo | {as_app} su root -c true")

      with subtest("an ordinary user becomes nobody else"):
          guest.fail(f"{as_app} sudo -n true")

      with subtest("a service that listens to all is reached from nowhere else"):
          guest.wait_for_open_port(8080)
          assert guest.succeed("curl -sf http://127.0.0.1:8080/") == "careless"
          reach = f"curl -sf -m 5 http://{guest_address}:8080/"
          azure.fail(reach)
          azure.fail(f"ping -c 1 -W 2 {guest_address}")

      with subtest("and it is the packet filter that keeps it so"):
          guest.succeed("nft list ruleset >/run/rules; nft flush ruleset")
          assert azure.succeed(reach) == "careless"
          guest.succeed("nft -f /run/rules")
          azure.fail(reach)

      with subtest("the kernel is told what the module says"):
          wanted = {
              "fs.protected_fifos": "2",
              "fs.protected_regular": "2",
              "fs.suid_dumpable": "0",
              "kernel.core_pattern": "|/bin/false",
              "kernel.dmesg_restrict": "1",
              "kernel.kexec_load_disabled": "1",
              "kernel.kptr_restrict": "2",
              "kernel.sysrq": "0",
              "kernel.unprivileged_bpf_disabled": "1",
              "kernel.yama.ptrace_scope": "2",
              "net.core.bpf_jit_harden": "2",
              "net.ipv4.conf.all.accept_redirects": "0",
              "net.ipv4.conf.all.send_redirects": "0",
              "net.ipv6.conf.all.accept_redirects": "0",
          }
          told = {name: guest.succeed(f"sysctl -n {name}").strip() for name in wanted}
          assert told == wanted, told
          guest.fail(f"{as_app} dmesg")

      with subtest("only root talks to the nix daemon"):
          query = "env HOME=/tmp nix-store --store daemon --query --hash /run/current-system"
          guest.succeed(query)
          guest.fail(f"{as_app} {query}")
          # The daemon hangs up without a word, and says why in its own log.
          guest.wait_until_succeeds("journalctl -u nix-daemon | grep 'app.* is not allowed to connect' >&2", timeout=60)

      with subtest("what is in memory stays there"):
          assert guest.succeed("swapon --show --noheadings") == ""
          guest.succeed(f"{as_app} bash -c 'ulimit -c unlimited; cd /tmp; sleep 60 & kill -SEGV $!; wait $!' || true")
          assert guest.succeed("find /tmp /var/lib/systemd/coredump -name 'core*' 2>/dev/null || true") == ""
    '';
}
