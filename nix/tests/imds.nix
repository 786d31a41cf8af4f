# By whatever way an ordinary user asks the metadata service, there is no answer: none as IPv6, none out of a namespace, none
# out of a container. That root alone is answered is proved on the machine that `npm run rehearse -- --boot` boots.
{
  azureNode,
  guestNode,
  ...
}:
{
  name = "imds";

  nodes = {
    azure = azureNode { };
    guest = {
      imports = [ guestNode ];
      users.users.named = {
        isSystemUser = true;
        uid = 392;
        group = "named";
      };
      users.groups.named.gid = 392;
      sealed-onion.imds.allowedUids = [ 392 ];
    };
  };

  testScript = ''
    instance = "metadata/instance?api-version=2021-02-01"
    token = "metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net"
    versions = "?comp=versions"


    def ask(path: str, host: str = "169.254.169.254") -> str:
        return f"curl -g -sf -m 5 -o /dev/null -H Metadata:true 'http://{host}/{path}'"


    def refused(command: str) -> None:
        code, _ = guest.execute(command)
        assert code == 7, f"not refused by the packet filter, exit code {code}: {command}"


    azure.start()
    azure.succeed("systemctl start loopback-azure")
    guest.start()

    guest.wait_until_succeeds("systemctl is-active app.service")

    with subtest("who is named gets tokens, as root does"):
        for who in ["root", "named"]:
            guest.succeed(f"runuser -u {who} -- {ask(instance)}", f"runuser -u {who} -- {ask(token)}")

    with subtest("an ordinary user gets none, nor as an IPv4 address in an IPv6 one, nor as root of a namespace of its own"):
        refused(f"runuser -u app -- {ask(instance)}")
        guest.succeed(ask(instance, "[::ffff:169.254.169.254]"))
        refused(f"runuser -u app -- {ask(instance, '[::ffff:169.254.169.254]')}")
        assert guest.succeed("runuser -u app -- unshare --map-root-user id -u").strip() == "0"
        refused(f"runuser -u app -- unshare --map-root-user {ask(instance)}")

    with subtest("the rules do not mind by which way the packets go"):
        guest.succeed("ip route replace 169.254.169.254/32 dev eth1 scope link")
        guest.succeed(ask(instance))
        refused(f"runuser -u app -- {ask(instance)}")

    with subtest("nor do they let a container's packets through"):
        guest.succeed(
            "ip netns add box",
            "ip link add inside netns box type veth peer name outside",
            "ip address add 10.9.9.1/24 dev outside",
            "ip link set outside up",
            "ip -n box address add 10.9.9.2/24 dev inside",
            "ip -n box link set inside up",
            "ip -n box route add default via 10.9.9.1",
            "sysctl -w net.ipv4.ip_forward=1",
            "nft add table ip box",
            "nft add chain ip box out '{ type nat hook postrouting priority 100; }'",
            "nft add rule ip box out ip saddr 10.9.9.2 masquerade",
        )
        guest.fail(f"ip netns exec box {ask(instance)}")

    with subtest("and all of this is these rules' doing"):
        guest.succeed("nft delete table inet azure-metadata")
        guest.succeed(f"runuser -u app -- {ask(instance)}", f"runuser -u app -- {ask(versions, '168.63.129.16')}")
        guest.succeed(f"ip netns exec box {ask(instance)}")
  '';
}
