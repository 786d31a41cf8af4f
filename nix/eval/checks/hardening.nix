{ config, lib }:
let
  users = lib.attrValues config.users.users;
  table = config.networking.nftables.tables.azure-metadata.content;
in
{
  "nobody has a password" = lib.all (
    user:
    user.password == null
    && user.initialPassword == null
    && user.initialHashedPassword == null
    && user.hashedPasswordFile == null
    && (user.hashedPassword == null || lib.hasPrefix "!" user.hashedPassword)
  ) users;
  "root is locked" = config.users.users.root.hashedPassword == "!" && !config.users.mutableUsers;
  "no port is open" =
    config.networking.firewall.enable
    && config.networking.firewall.allowedTCPPorts == [ ]
    && config.networking.firewall.allowedUDPPorts == [ ]
    && config.networking.firewall.allowedTCPPortRanges == [ ]
    && config.networking.firewall.allowedUDPPortRanges == [ ]
    && !config.networking.firewall.allowPing;
  "only root and Vault's agent may ask the metadata service" =
    config.networking.nftables.enable
    && lib.hasInfix "ip daddr 169.254.169.254 meta skuid != { 0, 391 } counter reject" table;
  "only root may ask the wire server, but for names and addresses" =
    lib.hasInfix "ip daddr 168.63.129.16 tcp dport { 80, 32526 } meta skuid != 0 counter reject" table;
  "only root talks to the nix daemon" =
    config.nix.settings.allowed-users == [ "root" ] && config.nix.settings.trusted-users == [ "root" ];
  "what is in memory stays there" =
    config.swapDevices == [ ]
    && !config.zramSwap.enable
    && !config.systemd.coredump.enable
    && config.security.protectKernelImage;
  "critical lines of the journal reach the console" =
    lib.hasInfix "ForwardToConsole=yes\nMaxLevelConsole=crit" config.services.journald.extraConfig;
  "nobody logs in on a console" =
    !config.systemd.services."serial-getty@ttyS0".enable && !config.systemd.services."getty@tty1".enable;
}
