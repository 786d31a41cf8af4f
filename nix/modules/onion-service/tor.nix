# The one tor that carries all onion services: upstream's hardened unit, our keys, nothing else switched on.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion;
  services = cfg.onionServices;
  address = import ../../lib/onion-address.nix;
  script = import ../../lib/script.nix { inherit lib pkgs; };
  say-change = import ../../lib/say-change.nix { inherit lib pkgs; };

  prepare = script "prepare-onion-key" [
    pkgs.coreutils
    pkgs.diffutils
    pkgs.openssl
    say-change
  ];
  explain = script "explain-tor" [
    pkgs.coreutils
    pkgs.gnused
    config.systemd.package
    say-change
  ];

  # A name that is no secret is answered by an assertion (../onion-service.nix), not by Nix.
  pathOf = secret: cfg.secrets.${secret}.path or "/run/secrets/${secret}";

  # A virtual port and where it leads, as upstream's tor module spells it.
  portMap =
    name: port: target:
    let
      parsed = address.parseTarget target;
    in
    {
      port = address.toPort port;
      target =
        if parsed.kind == "site" then
          {
            addr = "127.0.0.1";
            port = cfg.onionSites.${name}.port;
          }
        else if parsed.kind == "unix" then
          { unix = parsed.path; }
        else
          { inherit (parsed) addr port; };
    };
in
{
  config = lib.mkIf (services != { }) {
    services.tor = {
      enable = true;
      enableGeoIP = false; # it only chooses relays by country, which nothing here does
      settings = {
        AvoidDiskWrites = true;
        DirCache = false;
        ExitRelay = false;
        SafeLogging = true;
      };
      relay.onionServices = lib.mapAttrs (name: service: {
        version = 3;
        secretKey = pathOf service.secret; # tor's copy then lies in /run/tor/onion/<name>
        map = lib.mapAttrsToList (portMap name) (service.ports // lib.optionalAttrs service.ssh { "22" = "127.0.0.1:22"; });
        settings = {
          HiddenServicePoWDefensesEnabled = service.proofOfWork;
          HiddenServiceMaxStreams = 100;
          HiddenServiceMaxStreamsCloseCircuit = true;
        };
      }) services;
    };

    sealed-onion.unseal.consumers."tor.service".secrets = lib.unique (
      lib.concatMap (service: [ service.secret ] ++ service.clientAuthorization) (lib.attrValues services)
    );

    systemd.services.tor = {
      startLimitIntervalSec = 0;
      stopIfChanged = false; # a switch restarts it at its end: it is away for that alone, not while all else is activated
      serviceConfig = {
        # Before upstream's own, which copies the secret key beside what is laid out here.
        ExecStartPre = lib.mkBefore (
          lib.mapAttrsToList (
            name: service:
            "+"
            + lib.escapeShellArgs (
              cfg.asReplica
              ++ [
                (lib.getExe prepare)
                name
                (pathOf service.secret)
                service.hostname
                config.services.tor.relay.onionServices.${name}.path
              ]
              ++ lib.concatMap (secret: [
                secret
                (pathOf secret)
              ]) service.clientAuthorization
            )
          ) services
        );
        ExecStopPost = "+-${lib.getExe explain}";
        LimitCORE = 0; # a core file would hold the key
      }
      // removeAttrs (import ../../lib/retry.nix) [ "Restart" ]; # upstream's own
    };
  };
}
