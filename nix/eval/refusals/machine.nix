# Mistakes in the machine around them.
{
  "swaps in clear" = {
    module = { lib, ... }: { swapDevices = lib.mkOverride 10 [ { device = "/dev/sdb1"; } ]; };
    expected = "a swapped-out page can hold a secret in clear: set swapDevices.*.randomEncryption.enable, or no swapDevices";
  };
  "calls the administrator what the system has taken" = {
    module = { lib, ... }: { sealed-onion.bootAgent.adminUser = lib.mkForce "backup"; };
    expected = "sealed-onion.bootAgent.adminUser must not be a name that Azure or the system reserves, got \"backup\": set another one";
  };
  "counts on root, whom SSH does not let in" = {
    module =
      { lib, ... }:
      {
        sealed-onion.bootAgent.adminUser = lib.mkForce null;
        users.users.root.openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA" ];
      };
    expected = "SSH is on and nobody can log in: set sealed-onion.bootAgent.adminUser (in a stack: bootAgent.sshKeys), or users.users.<name>.openssh.authorizedKeys.keys";
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
