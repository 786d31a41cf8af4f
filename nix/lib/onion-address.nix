# Pure functions over version 3 onion addresses: 56 characters of base32 (a 32-byte ed25519 public key, a checksum of
# 2 bytes, the version byte 3), then ".onion". https://spec.torproject.org/rend-spec/encoding-onion-addresses.html
let
  rules = import ./rules.nix;
in
{
  # The last character holds the low bits of the version byte 3, so it is always "d". The checksum is SHA3-256, which
  # Nix does not have: tor itself compares key and address at start (modules/onion-service.nix).
  isOnionHostname = hostname: builtins.match "[a-z2-7]{55}d\\.onion" hostname != null;

  # Where a virtual port leads, the target being one that the rule takes. Only this machine: a target elsewhere would
  # leave the VM in clear.
  # "site" | "127.0.0.1:PORT" | "[::1]:PORT" | "unix:/absolute/path"  ->  { kind; addr?; port?; path? }
  parseTarget =
    target:
    let
      tcp = builtins.match "(127\\.0\\.0\\.1|\\[::1]):([0-9]+)" target;
      socket = builtins.match "unix:(/.+)" target;
    in
    if !rules.follows "target" target then
      throw "target of an onion service's port must be ${rules.says "target"}, got \"${target}\""
    else if socket != null then
      {
        kind = "unix";
        path = builtins.head socket;
      }
    else if tcp != null then
      {
        kind = "tcp";
        addr = builtins.head tcp;
        port = builtins.fromJSON (builtins.elemAt tcp 1);
      }
    else
      { kind = "site"; };

  toPort =
    text:
    if rules.follows "port" text then
      builtins.fromJSON text
    else
      throw "port of an onion service must be ${rules.says "port"}, got \"${text}\"";
}
