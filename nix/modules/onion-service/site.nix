# The static sites behind onion services, each a small web server of its own on loopback that tells nothing of itself.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion;
  inherit (lib) mkOption types;

  withSite = lib.filterAttrs (_: service: lib.elem "site" (lib.attrValues service.ports)) cfg.onionServices;
  numbered = lib.imap0 (index: name: {
    inherit name;
    value.port = (import ../../lib/rules.nix).firstSitePort + index;
  }) (lib.attrNames withSite);
in
{
  options.sealed-onion.onionSites = mkOption {
    type = types.attrsOf (
      types.submodule {
        options.port = mkOption {
          type = types.port;
          description = "Loopback port of the site's web server.";
        };
      }
    );
    internal = true;
    default = { };
    description = "The web servers of the static sites, by onion service.";
  };

  config = {
    sealed-onion.onionSites = lib.listToAttrs numbered;

    # By a path that stays: another page is another target of a link, and no server restarts for it.
    environment.etc = lib.mapAttrs' (name: _: {
      name = "sealed-onion/sites/${name}";
      value.source = cfg.onionServices.${name}.site;
    }) cfg.onionSites;

    systemd.services = lib.mapAttrs' (name: site: {
      name = "onion-site-${name}";
      value = {
        description = "Static Site of Onion Service ${name}";
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        startLimitIntervalSec = 0; # secrets that are rotated one after the other restart it as often
        serviceConfig = {
          ExecStart = lib.escapeShellArgs [
            (lib.getExe pkgs.darkhttpd)
            "/run/current-system/etc/sealed-onion/sites/${name}"
            "--addr"
            "127.0.0.1"
            "--port"
            (toString site.port)
            "--no-listing"
            "--no-server-id"
          ];
          DynamicUser = true;
          Restart = "always";
          RestartSec = "2s";
          SocketBindDeny = "any";
          SocketBindAllow = "tcp:${toString site.port}";
          PrivateUsers = true;
        }
        // import ../../lib/confinement.nix {
          addressFamilies = [ "AF_INET" ];
          addresses = [ "localhost" ]; # only tor, on this machine, ever asks; and it asks nobody
        };
      };
    }) cfg.onionSites;
  };
}
