# Secrets of the Vault as files. The agent renders them as its own user; a small unit with the right to give files away
# puts each where it belongs and restarts whoever uses it. So the agent itself needs neither that right nor systemd.
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

  template = types.submodule (
    { name, ... }:
    {
      options = {
        contents = mkOption {
          type = types.lines;
          description = "The template, in consul-template's language. It is public: references to secrets, no secrets.";
        };
        path = mkOption {
          type = types.strMatching "/run/.+";
          default = "/run/vault-secrets/${name}";
          description = "Where the rendered file goes: somewhere in memory.";
        };
        owner = mkOption {
          type = types.str;
          default = "root";
          description = "User that owns the file.";
        };
        group = mkOption {
          type = types.str;
          default = "root";
          description = "Group of the file.";
        };
        mode = mkOption {
          type = types.strMatching "0[0-7]{3}";
          default = "0400";
          description = "Mode of the file, four octal digits.";
        };
        restart = mkOption {
          type = types.nullOr (types.strMatching ".+\\.service");
          default = null;
          description = "Service that uses the file: it waits for it, and is restarted each time it changes.";
        };
      };
    }
  );

  place =
    name: file:
    pkgs.writeShellScript "place-vault-secret-${name}" ''
      set -eu
      ${pkgs.coreutils}/bin/install -D -m ${file.mode} -o ${file.owner} -g ${file.group} \
        /run/vault-agent/rendered/${name} ${lib.escapeShellArg "${file.path}.new"}
      ${pkgs.coreutils}/bin/mv -f ${
        lib.escapeShellArgs [
          "${file.path}.new"
          file.path
        ]
      }
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
          serviceConfig = {
            Type = "oneshot";
            ExecStart = place name file;
            PrivateNetwork = true;
          }
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
