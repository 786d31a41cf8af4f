# What a user adds to the example machine: a service with a secret of its own, to be waited for.
{ pkgs, ... }:
{
  users.users.app = {
    isSystemUser = true;
    group = "app";
  };
  users.groups.app = { };

  systemd.services.app = {
    description = "Example Application";
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      ExecStart = "${pkgs.coreutils}/bin/sleep infinity";
      User = "app";
    };
  };

  sealed-onion.vaultAgent.templates.database = {
    contents = ''{{ with secret "kv/data/database" }}{{ .Data.data.password }}{{ end }}'';
    owner = "app";
    group = "app";
    restart = "app.service";
  };
}
