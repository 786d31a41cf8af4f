{ config, lib }:
let
  inherit (config.services) tor;
  inherit (config.systemd.services.tor) serviceConfig;
  service = tor.relay.onionServices.site;
  before = map toString serviceConfig.ExecStartPre;
  site = config.systemd.services.onion-site-site;
  stateFolders = lib.toList serviceConfig.StateDirectory;
in
{
  "tor's copy of the key lies under /run" = service.path == "/run/tor/onion/site";
  "tor's own folder on the disk never holds a key" = !(lib.elem "tor/onion/site" stateFolders);
  "the key comes from the opened secret" = service.secretKey == "/run/secrets/onion";
  "key and address are checked before anything else" = lib.hasSuffix (lib.concatStringsSep " " [
    "/bin/prepare-onion-key site /run/secrets/onion"
    config.sealed-onion.onionServices.site.hostname
    "/run/tor/onion/site friend /run/secrets/friend"
  ]) (lib.head before);
  "upstream's own steps follow" = lib.length before == 3;
  "tor relays nothing, caches nothing and offers no proxy" =
    tor.settings.ORPort == [ ]
    && tor.settings.DirPort == [ ]
    && tor.settings.SOCKSPort == [ 0 ]
    && !tor.settings.ExitRelay
    && !tor.settings.DirCache
    && !tor.relay.enable
    && !tor.client.enable;
  "the ports are those of the facts" =
    lib.sort lib.lessThan service.settings.HiddenServicePort == [
      "22 127.0.0.1:22"
      "80 127.0.0.1:8440"
      "8080 127.0.0.1:9000"
    ];
  "floods are answered with proof of work" = service.settings.HiddenServicePoWDefensesEnabled;
  "tor leaves no core file" = serviceConfig.LimitCORE == 0;
  "the site's server listens on loopback and talks to nobody else" =
    lib.hasInfix "--addr 127.0.0.1 --port 8440" site.serviceConfig.ExecStart
    && site.serviceConfig.IPAddressDeny == "any"
    && site.serviceConfig.IPAddressAllow == [ "localhost" ];
  "sshd has the sealed key, waits for it, and makes none" =
    map (key: key.path) config.services.openssh.hostKeys == [ "/run/secrets/ssh-host-key" ]
    && !config.services.openssh.generateHostKeys
    && config.systemd.services.sshd.unitConfig.ConditionPathExists == [ "/run/secrets/ssh-host-key" ]
    && config.sops.secrets.ssh-host-key.restartUnits == [ "sshd.service" ];
  "SSH listens on loopback, for keys" =
    config.services.openssh.enable
    && map (address: address.addr) config.services.openssh.listenAddresses == [ "127.0.0.1" ]
    && !config.services.openssh.openFirewall
    && !config.services.openssh.settings.PasswordAuthentication
    && !config.services.openssh.settings.KbdInteractiveAuthentication
    && config.services.openssh.settings.PermitRootLogin == "no";
}
