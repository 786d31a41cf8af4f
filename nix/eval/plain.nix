# A stack with every default: one onion key and its page. And the same with a second service.
{ lib, machine }:
let
  inherit (machine) config;
  pair =
    (machine.extendModules {
      modules = [
        {
          sealed-onion.secrets.blog.sealedFile = ./stacks/plain/onion.sops.json;
          sealed-onion.onionServices.blog = {
            hostname = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion";
            site = ../modules; # any other folder
          };
        }
      ];
    }).config;
  ours = import ./units.nix { inherit lib machine; };
  onions = pair.services.tor.relay.onionServices;
  prepared = lib.take 2 (map toString pair.systemd.services.tor.serviceConfig.ExecStartPre);
in
{
  "nothing of ours runs but what opens the key, serves the page and reports the machine" =
    lib.sort lib.lessThan ours.confined == [
      "azure-check-in.service"
      "finish-visits.service"
      "follow-descriptors.service"
      "onion-site-onion.service"
      "sops-install-secrets.service"
      "tor.service"
    ];
  "visits end before anything that answers them is stopped, and a restart of tor does not wait for them" =
    let
      finish = config.systemd.services.finish-visits;
    in
    lib.all (unit: lib.elem unit finish.after) [
      "tor.service"
      "multi-user.target"
    ]
    && finish.partOf == [ ]
    && lib.hasSuffix "/bin/finish-visits /run/tor/control" finish.serviceConfig.ExecStop;
  "the machine is called like its stack" = config.networking.hostName == "plain";
  "no SSH server runs, and no key for one is made" =
    !config.services.openssh.enable
    && !(ours.units ? "sshd.service")
    && !(ours.units ? "sshd.socket")
    && !(ours.units ? "sshd-keygen.service");
  "nobody is an administrator" = lib.filterAttrs (_: user: user.isNormalUser) config.users.users == { };
  "the report waits for the key" =
    config.systemd.services.azure-check-in.unitConfig.ConditionPathExists == [ "/run/secrets/onion" ];
  "root alone may ask the metadata service" =
    lib.hasInfix "meta skuid != { 0 } counter reject" config.networking.nftables.tables.azure-metadata.content;
  "every assertion holds, with one service and with two" = lib.all (check: check.assertion) (
    config.assertions ++ pair.assertions
  );
  "two services have a key, a folder and a web server each" =
    onions.onion.path == "/run/tor/onion/onion"
    && onions.blog.path == "/run/tor/onion/blog"
    && onions.onion.secretKey == "/run/secrets/onion"
    && onions.blog.secretKey == "/run/secrets/blog"
    && onions.blog.settings.HiddenServicePort == [ "80 127.0.0.1:8440" ]
    && onions.onion.settings.HiddenServicePort == [ "80 127.0.0.1:8441" ]
    && lib.hasInfix "--port 8440" pair.systemd.services.onion-site-blog.serviceConfig.ExecStart
    && lib.hasInfix "--port 8441" pair.systemd.services.onion-site-onion.serviceConfig.ExecStart;
  "both keys are checked before tor starts" =
    lib.hasInfix "/bin/prepare-onion-key blog /run/secrets/blog" (lib.head prepared)
    && lib.hasInfix "/bin/prepare-onion-key onion /run/secrets/onion" (lib.last prepared);
  "tor and the report wait for both" =
    pair.systemd.services.tor.unitConfig.ConditionPathExists == [
      "/run/secrets/blog"
      "/run/secrets/onion"
    ]
    &&
      pair.systemd.services.azure-check-in.unitConfig.ConditionPathExists
      == pair.systemd.services.tor.unitConfig.ConditionPathExists;
}
