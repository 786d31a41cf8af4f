# Who may ask Azure's metadata service and wire server.
#
# A program on this machine that gets an answer from the metadata service gets a token of the machine's identity, and with it
# every secret that Key Vault opens for it. A web application that can be talked into fetching a URL is enough. So only
# root may ask, and the users named here; all others are refused by the packet filter.
{ config, lib, ... }:
let
  cfg = config.sealed-onion.imds;
  uids = lib.concatMapStringsSep ", " toString (lib.sort lib.lessThan (lib.unique ([ 0 ] ++ cfg.allowedUids)));
in
{
  options.sealed-onion.imds = {
    restrict = lib.mkEnableOption "refusing Azure's metadata service to all users but root and those allowed";
    allowedUids = lib.mkOption {
      type = lib.types.listOf lib.types.ints.unsigned;
      default = [ ];
      example = [ 391 ];
      description = ''
        Fixed user ids, besides root's, that may ask for the identity's tokens. Numbers, as the rules are checked where
        the users do not exist.
      '';
    };
  };

  config = lib.mkIf cfg.restrict {
    networking.nftables = {
      enable = true;
      tables.azure-metadata = {
        family = "inet";
        content = ''
          chain output {
            type filter hook output priority filter; policy accept;
            ip daddr 169.254.169.254 meta skuid != { ${uids} } counter reject
            # The wire server also answers DNS and DHCP, which are for everybody.
            ip daddr 168.63.129.16 tcp dport { 80, 32526 } meta skuid != 0 counter reject
          }
          chain forward {
            type filter hook forward priority filter; policy accept;
            ip daddr { 169.254.169.254, 168.63.129.16 } counter drop
          }
        '';
      };
    };
  };
}
