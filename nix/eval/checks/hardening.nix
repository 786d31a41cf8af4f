{ config, lib }:
let
  users = lib.attrValues config.users.users;
  # Named one by one: a default that upstream changes must not change them.
  sysctl = {
    "fs.protected_fifos" = 2;
    "fs.protected_regular" = 2;
    "fs.suid_dumpable" = 0;
    "kernel.core_pattern" = "|/bin/false";
    "kernel.dmesg_restrict" = 1;
    "kernel.kptr_restrict" = 2;
    "kernel.kexec_load_disabled" = true;
    "kernel.perf_event_paranoid" = 3;
    "kernel.sysrq" = 0;
    "kernel.unprivileged_bpf_disabled" = 1;
    "kernel.yama.ptrace_scope" = 2;
    "net.core.bpf_jit_harden" = 2;
    "net.ipv4.conf.all.accept_redirects" = 0;
    "net.ipv4.conf.all.rp_filter" = 1;
    "net.ipv4.conf.all.send_redirects" = 0;
    "net.ipv6.conf.all.accept_ra" = 0;
    "net.ipv6.conf.all.accept_redirects" = 0;
    "vm.swappiness" = 0;
  };
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
  "no name is asked for in the network around, nor answered there" =
    config.services.resolved.settings.Resolve.LLMNR == false
    && config.services.resolved.settings.Resolve.MulticastDNS == false
    && lib.hasInfix "LLMNR=false\nMulticastDNS=false" config.environment.etc."systemd/resolved.conf".text;
  "the kernel is set to tell and to allow little" = lib.intersectAttrs sysctl config.boot.kernel.sysctl == sysctl;
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
