# Pure functions over version 3 onion addresses: 56 characters of base32 (a 32-byte ed25519 public key, a checksum of
# 2 bytes, the version byte 3), then ".onion". https://spec.torproject.org/rend-spec/encoding-onion-addresses.html
rec {
  # The last character holds the low bits of the version byte 3, so it is always "d". The checksum is SHA3-256, which
  # Nix does not have: tor itself compares key and address at start (modules/onion-service.nix).
  isOnionHostname = hostname: builtins.match "[a-z2-7]{55}d\\.onion" hostname != null;

  # What follows the prefix is base32 without padding: 32 bytes are 52 characters.
  isClientAuthorization = line: builtins.match "descriptor:x25519:[A-Z2-7]{52}" line != null;

  # Where a virtual port leads. Only this machine: a target elsewhere would leave the VM in clear.
  # "site" | "127.0.0.1:PORT" | "[::1]:PORT" | "unix:/absolute/path"  ->  { kind; addr?; port?; path? }
  parseTarget =
    target:
    let
      loopback = builtins.match "(127\\.0\\.0\\.1|\\[::1]):([0-9]{1,5})" target;
      socket = builtins.match "unix:(/[^ \"]+)" target;
    in
    if target == "site" then
      { kind = "site"; }
    else if socket != null then
      {
        kind = "unix";
        path = builtins.head socket;
      }
    else if loopback != null && isPort (builtins.elemAt loopback 1) then
      {
        kind = "tcp";
        addr = builtins.head loopback;
        port = toPort (builtins.elemAt loopback 1);
      }
    else
      throw ''target of an onion service's port must be "site", "127.0.0.1:PORT", "[::1]:PORT" or "unix:/path", got "${target}"'';

  isPort = text: builtins.match "[1-9][0-9]{0,4}" text != null && builtins.fromJSON text <= 65535;

  toPort = text: if isPort text then builtins.fromJSON text else throw "port must be 1 to 65535, got \"${text}\"";
}
