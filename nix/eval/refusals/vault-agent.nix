# Mistakes in the files that Vault's agent renders.
{
  "gives a Vault's secret to nobody" = {
    module = { lib, ... }: { sealed-onion.vaultAgent.templates.database.owner = lib.mkForce "somebody"; };
    expected = "sealed-onion.vaultAgent.templates.database.owner is somebody, no user of this machine: declare users.users.somebody";
  };
  "gives a Vault's secret to no group" = {
    module = { lib, ... }: { sealed-onion.vaultAgent.templates.database.group = lib.mkForce "some"; };
    expected = "sealed-onion.vaultAgent.templates.database.group is some, no group of this machine: declare users.groups.some";
  };
  "restarts what is not there for a Vault's secret" = {
    module = { lib, ... }: { sealed-onion.vaultAgent.templates.database.restart = lib.mkForce "typo.service"; };
    expected = "sealed-onion.vaultAgent.templates.database.restart is typo.service, which nothing here defines: correct the name, or define systemd.services.typo";
  };
  "calls a Vault's secret what no file can be called" = {
    module.sealed-onion.vaultAgent.templates."a;b" = {
      contents = "x";
      path = "/run/other";
    };
    expected = "sealed-onion.vaultAgent.templates has \"a;b\", and a name must be lower-case letters, digits and single hyphens, starting with a letter, at most 40: rename it";
  };
  "puts a Vault's secret where Key Vault's are" = {
    module.sealed-onion.vaultAgent.templates.other = {
      contents = "x";
      path = "/run/app-secrets/token";
    };
    expected = "sealed-onion.vaultAgent.templates.other.path is /run/app-secrets/token, and sealed-onion.secrets.api-token is at /run/app-secrets/token: give each a place of its own";
  };
}
