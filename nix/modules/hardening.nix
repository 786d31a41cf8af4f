# What a reviewer would look for, beside what each module does for its own units: no password anywhere, nothing open, no
# way for a secret from memory to a disk, and the metadata service closed to units that need not ask (imds.nix).
{ config, lib, ... }:
{
  imports = [ ./imds.nix ];

  options.sealed-onion.hardening.enable = lib.mkEnableOption "the hardened settings of the machine" // {
    default = true;
  };

  config = lib.mkIf config.sealed-onion.hardening.enable {
    sealed-onion.imds.restrict = lib.mkDefault true;

    users.mutableUsers = false;
    users.users.root.hashedPassword = "!"; # locked
    # A machine nobody can log in to is what is wanted: it is replaced, not repaired.
    users.allowNoPasswordLogin = true;

    networking.firewall = {
      enable = true;
      allowPing = false;
      logRefusedConnections = false;
    };

    # Names are asked from Azure's own server: no asking around in the network, and no open socket for such questions.
    services.resolved.settings.Resolve = {
      LLMNR = false;
      MulticastDNS = false;
    };

    # Where there is a Nix daemon (azure-image.nix has none), nobody but root may talk to it.
    nix.settings = {
      allowed-users = lib.mkForce [ "root" ];
      trusted-users = lib.mkForce [ "root" ];
    };
    nix.channel.enable = false;

    # Critical lines (those of ours begin with "sealed-onion:") go to the console, which Azure shows without a login.
    services.journald.extraConfig = ''
      ForwardToConsole=yes
      MaxLevelConsole=crit
    '';

    # A core file, a hibernation image or another kernel's crash dump would hold secrets.
    systemd.coredump.enable = false;
    security.protectKernelImage = true;
    security.pam.loginLimits = [
      {
        domain = "*";
        type = "-";
        item = "core";
        value = "0";
      }
    ];

    boot.kernel.sysctl = {
      "fs.protected_fifos" = 2;
      "fs.protected_regular" = 2;
      "fs.suid_dumpable" = 0;
      "kernel.core_pattern" = "|/bin/false";
      "kernel.dmesg_restrict" = 1;
      "kernel.kptr_restrict" = 2;
      "kernel.perf_event_paranoid" = 3;
      "kernel.sysrq" = 0;
      "kernel.unprivileged_bpf_disabled" = 1;
      "kernel.yama.ptrace_scope" = 2;
      "net.core.bpf_jit_harden" = 2;
      "net.ipv4.conf.all.accept_redirects" = 0;
      "net.ipv4.conf.all.log_martians" = false;
      "net.ipv4.conf.all.rp_filter" = 1;
      "net.ipv4.conf.all.send_redirects" = 0;
      "net.ipv4.tcp_rfc1337" = 1;
      "net.ipv6.conf.all.accept_ra" = 0;
      "net.ipv6.conf.all.accept_redirects" = 0;
      "vm.swappiness" = 0;
    };
    boot.blacklistedKernelModules = [
      "dccp"
      "firewire-core"
      "rds"
      "sctp"
      "tipc"
      "usb-storage"
    ];
  };
}
