# A service of `systemd.services`  ->  the folders of /run that systemd makes for it, and takes away when it stops.
lib: service:
map (name: "/run/${name}") (
  lib.concatMap (lib.splitString " ") (lib.toList (service.serviceConfig.RuntimeDirectory or [ ]))
)
