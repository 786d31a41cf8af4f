# A mistake in an option, and the exact words of the assertion that answers it.
{
  "unseals without a unit" = {
    module = { lib, ... }: { sops.useSystemdActivation = lib.mkForce false; };
    expected = "sealed-onion.secrets are opened by a unit that waits for the network: set sops.useSystemdActivation = true";
  };
  "swaps in clear" = {
    module = { lib, ... }: { swapDevices = lib.mkOverride 10 [ { device = "/dev/sdb1"; } ]; };
    expected = "a swapped-out page can hold a secret in clear: set swapDevices.*.randomEncryption.enable, or no swapDevices";
  };
  "gives a secret to nobody" = {
    module = { lib, ... }: { sealed-onion.secrets.friend.owner = lib.mkForce "somebody"; };
    expected = "sealed-onion.secrets.friend.owner is somebody, no user of this machine: declare users.users.somebody";
  };
  "gives a secret to no group" = {
    module = { lib, ... }: { sealed-onion.secrets.friend.group = lib.mkForce "some"; };
    expected = "sealed-onion.secrets.friend.group is some, no group of this machine: declare users.groups.some";
  };
  "puts a secret where its unit cannot reach" = {
    module = { lib, ... }: { sealed-onion.secrets.friend.path = lib.mkForce "/root/friend"; };
    expected = "sealed-onion.secrets.friend.path is /root/friend, where no secret can be put (nor elsewhere in /dev, /home, /nix, /proc, /root, /run/user, /sys, /tmp, /var/tmp): set it below /run, or below /var/lib for a link";
  };
  "restarts what is not there" = {
    module.sealed-onion.secrets.friend.restart = [ "typo.service" ];
    expected = "sealed-onion.secrets.*.restart names typo.service, which nothing here defines: correct the name, or define systemd.services.typo";
  };
  "lets the network wait for a secret" = {
    module.sealed-onion.secrets.friend.restart = [ "systemd-networkd.service" ];
    expected = "systemd-networkd.service comes before the network and cannot wait for a secret that comes over it: take it out of sealed-onion.secrets.*.restart";
  };
  "names a key that is no secret" = {
    module = { lib, ... }: { sealed-onion.onionServices.site.secret = lib.mkForce "other"; };
    expected = "sealed-onion.onionServices uses other, which is no secret: declare sealed-onion.secrets.<name>";
  };
  "gives two services one address" = {
    module =
      { config, ... }:
      {
        sealed-onion.onionServices.twin = {
          secret = "onion";
          inherit (config.sealed-onion.onionServices.site) hostname;
        };
      };
    expected = "two of sealed-onion.onionServices have one hostname: give each its own key";
  };
  "leads to a socket in a folder that goes when its service restarts" = {
    module = {
      sealed-onion.onionServices.site.ports."443" = "unix:/run/app/socket";
      systemd.services.app.serviceConfig.RuntimeDirectory = "app";
    };
    expected = "a port of sealed-onion.onionServices leads to a socket of app.service, whose RuntimeDirectory goes when it restarts, and tor would be left with the old one: set systemd.services.app.serviceConfig.RuntimeDirectoryPreserve = \"restart\"";
  };
  "takes port 22 twice" = {
    module.sealed-onion.onionServices.site.ports."22" = "127.0.0.1:2222";
    expected = "port 22 is taken twice: unset sealed-onion.onionServices.<name>.ssh, or leave \"22\" out of its ports";
  };
  "lets nobody in by SSH" = {
    module = { lib, ... }: { sealed-onion.bootAgent.adminUser = lib.mkForce null; };
    expected = "SSH is on and nobody can log in: set sealed-onion.bootAgent.adminUser (in a stack: bootAgent.sshKeys), or users.users.<name>.openssh.authorizedKeys.keys";
  };
  "is ready when nothing is there to unseal" = {
    module =
      { lib, ... }:
      {
        sealed-onion.secrets = lib.mkForce { };
        sealed-onion.onionServices = lib.mkForce { };
      };
    expected = "sealed-onion.bootAgent.readyWhenUnsealed waits for secrets, and there are none: declare sealed-onion.secrets, or unset it";
  };
}
