# Mistakes in secrets.
{
  "unseals without a unit" = {
    module = { lib, ... }: { sops.useSystemdActivation = lib.mkForce false; };
    expected = "sealed-onion.secrets are opened by a unit that waits for the network: set sops.useSystemdActivation = true";
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
        sealedFile = ../stacks/example/onion.sops.json;
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
}
