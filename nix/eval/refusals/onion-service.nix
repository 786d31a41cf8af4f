# Mistakes in onion services.
{
  "names a key that is no secret" = {
    module = { lib, ... }: { sealed-onion.onionServices.site.secret = lib.mkForce "other"; };
    expected = "sealed-onion.onionServices uses other, which is no secret: declare sealed-onion.secrets.<name>";
  };
  "names a host key that is no secret" = {
    module = { lib, ... }: { sealed-onion.ssh.hostKey = lib.mkForce "other"; };
    expected = "sealed-onion.ssh.hostKey is other, which is no secret: declare sealed-onion.secrets.other";
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
}
