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
    module = { lib, ... }: { sealed-onion.secrets.friend.path = lib.mkForce "/run/user/friend"; };
    expected = "sealed-onion.secrets.friend.path is /run/user/friend, and /run/user belongs to the system: set it elsewhere below /run";
  };
  "puts a secret where tor makes room for itself" = {
    module = { lib, ... }: { sealed-onion.secrets.friend.path = lib.mkForce "/run/tor/friend"; };
    expected = "sealed-onion.secrets.friend.path is /run/tor/friend, and /run/tor belongs to the system: set it elsewhere below /run";
  };
  "puts a secret in a folder that goes when its service stops" = {
    module =
      { lib, ... }:
      {
        sealed-onion.secrets.friend.path = lib.mkForce "/run/app/friend";
        systemd.services.app.serviceConfig.RuntimeDirectory = "app";
      };
    expected = "sealed-onion.secrets.friend.path is /run/app/friend, in a RuntimeDirectory of app, which goes when that service stops: set it elsewhere below /run";
  };
  "puts two secrets on one path" = {
    module = { lib, ... }: { sealed-onion.secrets.friend.path = lib.mkForce "/run/app-secrets/token"; };
    expected = "sealed-onion.secrets.friend.path is /run/app-secrets/token, and sealed-onion.secrets.api-token is at /run/app-secrets/token: give each a place of its own";
  };
  "puts a secret on another one's link" = {
    module = { lib, ... }: { sealed-onion.secrets.friend.path = lib.mkForce "/run/secrets/other"; };
    expected = "sealed-onion.secrets.friend.path is /run/secrets/other, where sops-nix has its own links: set it to /run/secrets/friend, or outside /run/secrets";
  };
  "calls a secret what no file can be called" = {
    module = {
      sealed-onion.secrets."a/b" = {
        sealedFile = ./stacks/example/onion.sops.json;
        path = "/run/other";
      };
    };
    expected = "sealed-onion.secrets has \"a/b\", and a name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40: rename it";
  };
  "takes a user's password from a secret, which opens too late" = {
    module.users.users.app.hashedPasswordFile = "/run/secrets/friend";
    expected = "users.users.app.hashedPasswordFile is /run/secrets/friend, a secret, which opens only after the users are made: set hashedPassword, or leave app without a password";
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
    expected = "port 22 is taken twice: unset sealed-onion.onionServices.site.ssh, or leave \"22\" out of its ports";
  };
  "leads a port to the site's web server" = {
    module.sealed-onion.onionServices.site.ports."81" = "127.0.0.1:8440";
    expected = "sealed-onion.onionServices.site.ports.\"81\" is 127.0.0.1:8440, where a static site listens: set it to another port, or to site";
  };
  "lets visitors ask Vault as this machine" = {
    module.sealed-onion.onionServices.site.ports."81" = "127.0.0.1:8100";
    expected = "sealed-onion.onionServices.site.ports.\"81\" is 127.0.0.1:8100, where Vault's agent answers with this machine's own token: set it to another port";
  };
  "calls a service what no folder can be called" = {
    module.sealed-onion.onionServices."a/b" = {
      secret = "onion";
      hostname = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion";
      ports."80" = "127.0.0.1:9000";
    };
    expected = "sealed-onion.onionServices has one called \"a/b\", and a name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40: rename it";
  };
  "has a service without a port" = {
    module =
      { lib, ... }:
      {
        sealed-onion.onionServices.site = {
          ports = lib.mkForce { };
          ssh = lib.mkForce false;
        };
      };
    expected = "sealed-onion.onionServices.site has no port: set its ports, or its ssh";
  };
  "gives a Vault's secret to nobody" = {
    module = { lib, ... }: { sealed-onion.vaultAgent.templates.database.owner = lib.mkForce "somebody"; };
    expected = "sealed-onion.vaultAgent.templates.database.owner is somebody, no user of this machine: declare users.users.somebody";
  };
  "gives a Vault's secret to no group" = {
    module = { lib, ... }: { sealed-onion.vaultAgent.templates.database.group = lib.mkForce "some"; };
    expected = "sealed-onion.vaultAgent.templates.database.group is some, no group of this machine: declare users.groups.some";
  };
  "restarts what is not there for a Vault's secret" = {
    module = { lib, ... }: { sealed-onion.vaultAgent.templates.database.restart = lib.mkForce "typo.service"; };
    expected = "sealed-onion.vaultAgent.templates.database.restart is typo.service, which nothing here defines: correct the name, or define systemd.services.typo";
  };
  "calls a Vault's secret what no file can be called" = {
    module.sealed-onion.vaultAgent.templates."a;b" = {
      contents = "x";
      path = "/run/other";
    };
    expected = "sealed-onion.vaultAgent.templates has \"a;b\", and a name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40: rename it";
  };
  "puts a Vault's secret where Key Vault's are" = {
    module.sealed-onion.vaultAgent.templates.other = {
      contents = "x";
      path = "/run/app-secrets/token";
    };
    expected = "sealed-onion.vaultAgent.templates.other.path is /run/app-secrets/token, and sealed-onion.secrets.api-token is at /run/app-secrets/token: give each a place of its own";
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
