# Unix sockets that ports lead to. Tor has a root folder of its own: the socket's folder is shown to it there, as it is
# when tor starts. So tor starts after the service that the folder belongs to, and the folder has to outlive a restart of
# that service: a new one of the same name would be another folder than the one tor sees.
{ config, lib, ... }:
let
  address = import ../../lib/onion-address.nix;
  targets = lib.concatMap (service: lib.attrValues service.ports) (lib.attrValues config.sealed-onion.onionServices);
  sockets = lib.filter (parsed: parsed.kind == "unix") (map address.parseTarget targets);
  folders = lib.unique (map (parsed: dirOf parsed.path) sockets);
  runtimeFolders = import ../../lib/runtime-folders.nix lib;

  # The services, by name, whose RuntimeDirectory holds one of these folders.
  holds = service: lib.any (own: lib.any (folder: lib.hasPrefix "${own}/" "${folder}/") folders) (runtimeFolders service);
  owners = lib.filterAttrs (_: holds) (removeAttrs config.systemd.services [ "tor" ]);
  outlivesRestart =
    service:
    lib.elem (service.serviceConfig.RuntimeDirectoryPreserve or "no") [
      true
      "yes"
      "restart"
    ];
in
{
  config = lib.mkIf (folders != [ ]) {
    assertions = lib.mapAttrsToList (name: service: {
      assertion = outlivesRestart service;
      message = "a port of sealed-onion.onionServices leads to a socket of ${name}.service, whose RuntimeDirectory goes when it restarts, and tor would be left with the old one: set systemd.services.${name}.serviceConfig.RuntimeDirectoryPreserve = \"restart\"";
    }) owners;

    systemd.services.tor = {
      after = map (name: "${name}.service") (lib.attrNames owners);
      # "-": a folder that is missing takes its one port away, and not the whole of tor.
      serviceConfig.BindPaths = map (folder: "-${folder}") folders;
    };
  };
}
