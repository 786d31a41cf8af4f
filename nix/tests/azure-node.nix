# A machine that is Azure to the others: the metadata service and the wire server at their own addresses, Entra and Key
# Vault by TLS under their own names. A test gives the loopback Azure's configuration and may change it while it runs:
#
#   azure.succeed("change-azure '.vaults[].access.guest = [\"decrypt\"]'")
{ fixtures, loopbackAzure }:
{
  access ? {
    guest = [ "decrypt" ];
  },
  machine ? { },
  moreMachines ? { },
}:
{ config, pkgs, ... }:
let
  address = config.networking.primaryIPAddress;
  configuration = fixtures.configuration {
    inherit access;
    machines = {
      web = {
        identities = [ "guest" ];
        sshPublicKeys = [ fixtures.sshKey ];
        listen = {
          proxy = "127.0.0.1:3128";
          tls = "${address}:443";
          metadata = "169.254.169.254:80";
          wireServer = "168.63.129.16:80";
        };
      }
      // machine;
    }
    // moreMachines;
  };
  file = "/run/loopback-azure/config.json";
  change = pkgs.writeShellApplication {
    name = "change-azure";
    runtimeInputs = [ pkgs.jq ];
    text = ''
      jq "$1" ${file} >${file}.new
      mv ${file}.new ${file}
      systemctl reload loopback-azure
    '';
  };
in
{
  environment.systemPackages = [
    change
    pkgs.curl
  ];
  networking.firewall.enable = false;
  networking.interfaces.eth1.ipv4.addresses = [
    {
      address = "169.254.169.254";
      prefixLength = 32;
    }
    {
      address = "168.63.129.16";
      prefixLength = 32;
    }
  ];

  # Started by the test: a machine has to bear an Azure that is late.
  systemd.services.loopback-azure = {
    after = [ "network-online.target" ];
    wants = [ "network-online.target" ];
    serviceConfig = {
      RuntimeDirectory = "loopback-azure";
      ExecStartPre = "${pkgs.coreutils}/bin/install -m 0600 ${configuration} ${file}";
      ExecStart = "${pkgs.nodejs}/bin/node ${loopbackAzure} --config ${file}";
      # Started once it answers, and not only once there is a process.
      ExecStartPost = "${pkgs.curl}/bin/curl -sS --retry 60 --retry-delay 1 --retry-all-errors -o /dev/null http://168.63.129.16/?comp=versions";
      ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
    };
  };
}
