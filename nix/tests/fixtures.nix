# What the tests' machines are given: a throw-away certificate authority, the vault's key, and files sealed for that key
# by the real sops through the loopback Azure, while they are built. Nothing here is worth keeping: the onion keys follow
# from sentences that everybody can read.
{ pkgs, loopbackAzure }:
let
  inherit (pkgs) lib;
  keyVersion = "0123456789abcdef0123456789abcdef";
  # A pair that everybody knows, from the tests of NixOS itself.
  sshKeys = import (pkgs.path + "/nixos/tests/ssh-keys.nix") pkgs;

  # `echo` and not a file: no key, not even a known one, lies in the tree.
  onion = sentence: ''
    digest=$(printf %s ${lib.escapeShellArg sentence} | sha256sum | cut -c 1-64 | xxd -r -p | sha512sum | cut -c 1-128)
    first=$(printf %02x $((0x''${digest:0:2} & 248)))
    last=$(printf %02x $(((0x''${digest:62:2} & 63) | 64)))
    printf '== ed25519v1-secret: type0 ==\0\0\0'
    printf %s "$first''${digest:2:60}$last''${digest:64}" | xxd -r -p
  '';

  # Name of the sealed file  ->  shell that prints the plaintext.
  plaintexts = {
    token = "printf %s ${token}";
    token-rotated = "printf %s ${tokenRotated}";
    onion = onion "sealed-onion test key: everybody knows it";
    friend = "printf 'descriptor:x25519:%s\\n' AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  };
  token = "plaintext-of-the-first-token";
  tokenRotated = "plaintext-of-the-second-token";

  authority = pkgs.runCommand "test-authority" { nativeBuildInputs = [ pkgs.openssl ]; } ''
    mkdir $out
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $out/key.pem
    openssl req -x509 -key $out/key.pem -days 3650 -subj "/CN=Test authority" -out $out/certificate.pem
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $out/vault-key.pem
  '';
in
rec {
  inherit authority token tokenRotated;
  hostname = "fr5p4ftmxla23ljptkwohwicfka2snp72pzl5oroydvh7d3kvkqf7fqd.onion";
  clientId = "11111111-2222-4333-8444-555555555555";
  principalId = "66666666-7777-4888-8999-aaaaaaaaaaaa";
  vault = "kv-test";
  keyUrl = "https://${vault}.vault.azure.net/keys/sealing/${keyVersion}";
  tenantId = "99999999-8888-4777-8666-555555555555";
  sshKey = sshKeys.snakeOilEd25519PublicKey;
  sshPrivateKey = sshKeys.snakeOilEd25519PrivateKey;

  # The loopback Azure's configuration (test/azure/serve/serve-config.ts), with what a test adds to it.
  configuration =
    {
      access,
      machines ? { },
    }:
    pkgs.writeText "azure.json" (
      builtins.toJSON {
        inherit tenantId;
        authority = {
          certificate = "${authority}/certificate.pem";
          privateKey = "${authority}/key.pem";
        };
        vaults.${vault} = {
          inherit access;
          keys.sealing = {
            version = keyVersion;
            privateKey = "${authority}/vault-key.pem";
          };
        };
        identities.guest = {
          inherit clientId;
          objectId = principalId;
        };
        inherit machines;
        log = true;
      }
    );

  # Under which the files are sealed.
  sealing = configuration {
    access.workstation = [
      "get"
      "encrypt"
    ];
  };

  sealed =
    pkgs.runCommand "sealed-for-tests"
      {
        nativeBuildInputs = [
          pkgs.jq
          pkgs.nodejs
          pkgs.sops
          pkgs.xxd
        ];
      }
      ''
        node ${loopbackAzure} --config ${sealing} >listening.json 2>azure.log &
        until [ -s listening.json ]; do
          kill -0 $! || { cat azure.log; exit 1; }
          sleep 0.1
        done
        eval "$(jq -r '.workstation.environment | to_entries[] | "export \(.key)=\(.value | @sh)"' listening.json)"
        mkdir $out
        ${lib.concatStrings (
          lib.mapAttrsToList (name: print: ''
            { ${print}
            } | sops encrypt --filename-override ${name} --input-type binary --output-type json \
              --azure-kv ${keyUrl} /dev/stdin >$out/${name}.sops.json
          '') plaintexts
        )}
        kill %1
      '';
}
