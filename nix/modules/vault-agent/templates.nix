# Secrets of the Vault as files. The agent renders them as its own user; a small unit with the right to give files away
# puts each where it belongs and restarts the units that use it. So the agent itself needs neither that right nor systemd.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sealed-onion.vaultAgent;
  inherit (lib) mkOption types;
  inherit (config.systemd) package;
  ruled = import ../../lib/ruled-types.nix lib;
  rules = import ../../lib/rules.nix;
  restarted = lib.filterAttrs (_: file: file.restart != null) cfg.templates;

  template = types.submodule (
    { name, ... }:
    {
      options = import ../../lib/file-options.nix lib // {
        contents = mkOption {
          type = types.lines;
          description = "The template, in consul-template's language. It is public: references to secrets, no secrets.";
        };
        path = mkOption {
          type = ruled.path;
          default = "/run/vault-secrets/${name}";
          description = "Where the rendered file goes: somewhere in memory.";
        };
        restart = mkOption {
          type = types.nullOr ruled.service;
          default = null;
          description = "Service that uses the file: it waits for it, and is restarted each time it changes.";
        };
      };
    }
  );

  isDefined = unit: config.systemd.services.${lib.removeSuffix ".service" unit}.serviceConfig ? ExecStart;

  place =
    name: file:
    pkgs.writeShellScript "place-vault-secret-${name}" ''
      set -eu
      ${pkgs.coreutils}/bin/install -D -m ${file.mode} -o ${file.owner} -g ${file.group} \
        /run/vault-agent/rendered/${name} ${file.path}.new
      ${pkgs.coreutils}/bin/mv -f ${file.path}.new ${file.path}
      ${lib.optionalString (file.restart != null) "${package}/bin/systemctl --no-block restart ${file.restart}"}
    '';
in
{
  options.sealed-onion.vaultAgent.templates = mkOption {
    type = types.attrsOf template;
    default = { };
    description = "Files rendered from the Vault's secrets, by name.";
  };

  config = lib.mkIf (cfg.enable && cfg.templates != { }) {
    sealed-onion.placedFiles = lib.mapAttrs' (
      name: file:
      lib.nameValuePair "sealed-onion.vaultAgent.templates.${name}" {
        inherit (file) path owner group;
        ownName = null;
      }
    ) cfg.templates;

    assertions =
      lib.mapAttrsToList (name: _: {
        assertion = rules.follows "name" name;
        message = "sealed-onion.vaultAgent.templates has ${builtins.toJSON name}, and a name must be ${rules.says "name"}: rename it";
      }) cfg.templates
      ++ lib.mapAttrsToList (name: file: {
        assertion = isDefined file.restart;
        message = "sealed-onion.vaultAgent.templates.${name}.restart is ${file.restart}, which nothing here defines: correct the name, or define systemd.services.${lib.removeSuffix ".service" file.restart}";
      }) restarted;

    systemd.paths = lib.mapAttrs' (name: _: {
      name = "vault-secret-${name}";
      value = {
        description = "Watch the Rendered Secret ${name}";
        wantedBy = [ "multi-user.target" ];
        pathConfig.PathChanged = "/run/vault-agent/rendered/${name}";
      };
    }) cfg.templates;

    systemd.services = lib.mkMerge (
      lib.mapAttrsToList (name: file: {
        "vault-secret-${name}" = {
          description = "Place the Rendered Secret ${name}";
          startLimitIntervalSec = 0;
          serviceConfig = {
            Type = "oneshot";
            ExecStart = place name file;
            PrivateNetwork = true;
          }
          // import ../../lib/retry.nix
          // import ../../lib/confinement.nix {
            capabilities = [
              "CAP_CHOWN"
              "CAP_DAC_OVERRIDE"
              "CAP_FOWNER"
            ];
            addressFamilies = [ "AF_UNIX" ];
            writable = [ "/run" ];
          };
        };
        ${if file.restart == null then null else lib.removeSuffix ".service" file.restart} = {
          unitConfig.ConditionPathExists = [ file.path ];
        };
      }) cfg.templates
    );
  };
}
