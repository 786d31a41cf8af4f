# The program that takes a system, with what it runs: see modules/update.nix.
{
  config,
  lib,
  pkgs,
}:
let
  script = import ./script.nix { inherit lib pkgs; };
  nix = config.nix.package;
  fetch = script "fetch-closure" [
    nix
    pkgs.coreutils
    pkgs.curl
    pkgs.gnused
    pkgs.jq
    pkgs.zstd
  ];
  silent = import ./find-silent.nix { inherit config lib pkgs; };
  await = script "await-serving" [
    config.systemd.package
    silent
    pkgs.coreutils
    pkgs.gnused
    pkgs.jq
  ];
  once = script "boot-once" [ pkgs.coreutils ];
in
script "update-system" [
  await
  config.systemd.package
  fetch
  nix
  once
  silent
  pkgs.coreutils
  pkgs.curl
  pkgs.jq
  pkgs.openssl
  pkgs.util-linux
]
