# The example with switches turned the other way: each switch has to do nothing when it is off.
{ lib, machineWith }:
let
  configOf = module: (machineWith [ module ]).config;

  quiet = configOf (
    { lib, ... }:
    {
      sealed-onion = {
        onionServices.site = {
          ssh = lib.mkForce false;
          clientAuthorization = lib.mkForce [ ];
          ports = lib.mkForce { "443" = "unix:/run/app/socket"; };
          proofOfWork = false;
        };
        unseal.ageKeyFile = "/var/lib/age/key.txt";
        vaultAgent.enable = lib.mkForce false;
        bootAgent = {
          readyWhenUnsealed = lib.mkForce false;
          hostname.enable = lib.mkForce false;
          entropy.enable = lib.mkForce false;
          adminUser = lib.mkForce null;
          userDataSecrets.enable = lib.mkForce false;
        };
      };
      systemd.services.app.serviceConfig = {
        RuntimeDirectory = "app";
        RuntimeDirectoryPreserve = "restart";
      };
    }
  );

  old = configOf (
    { pkgs, ... }:
    {
      services.tor.package = pkgs.tor // {
        version = "0.4.7.16";
      };
    }
  );

  kept = configOf {
    sealed-onion.dataDisk = {
      enable = true;
      keep."/var/lib/app" = [ "app.service" ];
    };
  };

  told = configOf {
    sealed-onion.status = {
      enable = true;
      containerUrl = "https://soexample.blob.core.windows.net/status";
    };
    sealed-onion.logs = {
      units = [ "tor.service" ];
      recipients = [ "age1tyk6fecdmm0gqght67zaqhxwwxg56uaauv0m5fwg38dxgawedv8qp8kkvt" ];
    };
  };

  units = quiet.systemd.units;
  tor = quiet.services.tor.relay.onionServices.site;
in
{
  "without ssh no SSH server runs" = !quiet.services.openssh.enable && !(units ? "sshd.service");
  "without clientAuthorization no client's key is laid out" = lib.hasSuffix "/run/tor/onion/site" (
    toString (lib.head quiet.systemd.services.tor.serviceConfig.ExecStartPre)
  );
  "a port can lead to a unix socket, which tor can then see" =
    tor.settings.HiddenServicePort == [ "443 unix:/run/app/socket" ]
    && quiet.systemd.services.tor.serviceConfig.BindPaths == [ "-/run/app" ];
  "tor starts after the service whose socket that is" =
    lib.elem "app.service" quiet.systemd.services.tor.after
    && !(lib.elem "app.service" quiet.systemd.services.tor.requires);
  "an age key of the machine's own is a second way, and its file is there before" =
    quiet.sops.age.keyFile == "/var/lib/age/key.txt"
    && lib.elem "/var/lib/age/key.txt" quiet.systemd.services.sops-install-secrets.unitConfig.RequiresMountsFor
    &&
      (builtins.fromJSON (builtins.unsafeDiscardStringContext quiet.system.build.sops-nix-manifest.text)).ageKeyFile
      == "/var/lib/age/key.txt";
  "a tor that knows no proof of work is not asked for it" =
    !old.services.tor.relay.onionServices.site.settings.HiddenServicePoWDefensesEnabled;
  "without a site no web server runs" = !(units ? "onion-site-site.service");
  "proof of work can be switched off" = !tor.settings.HiddenServicePoWDefensesEnabled;
  "without readyWhenUnsealed the report waits for the network alone" =
    !(quiet.systemd.services.azure-check-in.unitConfig ? ConditionPathExists);
  "each part of the boot agent that is off has no unit" =
    lib.intersectLists (lib.attrNames units) [
      "azure-authorized-keys.service"
      "azure-entropy.service"
      "azure-hostname.service"
      "refresh-secrets.service"
      "refresh-secrets.timer"
      "vault-agent.service"
      "vault-login.service"
      "vault-login.timer"
    ] == [ ];
  "without a data disk nothing waits for one" = !(units ? "data-disk.service") && !(quiet.systemd.services.tor.unitConfig ? ConditionPathIsMountPoint);
  "tor and those who ask for it keep what they have on the data disk, and wait for it" =
    kept.systemd.services.tor.unitConfig.ConditionPathIsMountPoint == [ "/var/lib/tor" ]
    && kept.systemd.services.app.unitConfig.ConditionPathIsMountPoint == [ "/var/lib/app" ]
    && lib.elem "data-disk.service" kept.systemd.services.app.after
    && lib.hasSuffix "/bin/mount-data-disk /dev/disk/sealed-onion-data /data /var/lib/app /var/lib/tor" kept.systemd.services.data-disk.serviceConfig.ExecStart
    && lib.hasSuffix "start app.service tor.service" kept.systemd.services.data-disk.serviceConfig.ExecStartPost;
  "the data disk comes with its device, whenever that is attached" =
    kept.systemd.services.data-disk.wantedBy == [ "dev-disk-sealed\\x2donion\\x2ddata.device" ];
  "the journal of the units that are named is handed out, bounded, to those who are named" =
    lib.hasSuffix "/bin/write-logs https://soexample.blob.core.windows.net/status 1048576 tor.service" told.systemd.services.write-logs.serviceConfig.ExecStart
    && lib.hasSuffix "-recipients" told.systemd.services.write-logs.environment.SEALED_ONION_RECIPIENTS;
  "without units no journal leaves the machine" = !(units ? "write-logs.service") && !(units ? "write-logs.timer");
  "without sshKeys there is no administrator" = !(quiet.users.users ? operator);
  "without Vault's agent root alone may ask the metadata service" =
    lib.hasInfix "meta skuid != { 0 } counter reject" quiet.networking.nftables.tables.azure-metadata.content;
}
// import ./openbao.nix { inherit lib configOf; }
