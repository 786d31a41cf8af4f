# shellcheck shell=bash
# Lays out one onion service's folder before tor starts, or says why not and keeps tor from starting.
#   prepare-onion-key NAME KEY_FILE HOSTNAME FOLDER [CLIENT CLIENT_FILE]...
#
# Given a secret key alone, tor replaces a damaged one by a new key: a new address, silently. Given the public key too,
# it compares the two and stops. So the public key is written here, taken from the declared hostname, which holds it:
# tor then runs with the key of that very hostname or not at all. The secret key itself is copied by NixOS's tor module.
#
# Formats: https://spec.torproject.org/rend-spec/encoding-onion-addresses.html and tor(1), HIDDEN SERVICE FILES.
# Environment: TOR_USER (default tor), the owner of the folder; SEALED_ONION_STATE (default /run/sealed-onion).
name=$1 key=$2 hostname=$3 folder=$4
shift 4
owner=(-o "${TOR_USER:-tor}" -g "${TOR_GROUP:-tor}")

refuse() {
  say-change "${SEALED_ONION_STATE:-/run/sealed-onion}/said-tor" "onion service $name stays down: $1"
  exit 1
}

# A missing file has size "", which is not 96 either.
size=$(stat --dereference --format=%s "$key" 2>/dev/null) || true
if [[ $size != 96 ]]; then
  refuse "its key in $key has ${size:-no} bytes, a whole one has 96: seal tor's hs_ed25519_secret_key again"
fi
if ! cmp --silent --bytes=32 "$key" <(printf '== ed25519v1-secret: type0 ==\0\0\0'); then
  refuse "$key does not begin as an hs_ed25519_secret_key does: seal that file, not another form of the key"
fi

# 56 characters of base32: 32 bytes of public key, 2 of checksum, the version 3.
decoded() { printf '%s' "${hostname%.onion}" | tr "[:lower:]" "[:upper:]" | base32 --decode; }
if ! cmp --silent \
  <(decoded | tail -c +33) \
  <({ printf '.onion checksum' && decoded | head -c 32 && printf '\003'; } | openssl dgst -sha3-256 -binary | head -c 2 && printf '\003'); then
  refuse "the declared hostname $hostname has a wrong checksum: correct sealed-onion.onionServices.$name.hostname"
fi

install -d -m 0700 "${owner[@]}" "$folder"
{ printf '== ed25519v1-public: type0 ==\0\0\0' && decoded | head -c 32; } |
  install -m 0400 "${owner[@]}" /dev/stdin "$folder/hs_ed25519_public_key"

rm -rf "$folder/authorized_clients"
if (($# == 0)); then exit 0; fi
# Tor skips a file that it cannot read as a client's key, and a service whose files it all skipped is open to everyone.
install -d -m 0700 "${owner[@]}" "$folder/authorized_clients"
# Named as their secrets are: two of their files may be called alike, and one client would then take the other's place.
while (($# > 0)); do
  client=$1 file=$2
  shift 2
  if [[ ! $(cat "$file" 2>/dev/null || true) =~ ^descriptor:x25519:[A-Z2-7]{52}$ ]]; then
    refuse "$file is not one line descriptor:x25519:<52 characters of base32>: seal the client's public key in that form"
  fi
  install -m 0400 "${owner[@]}" "$file" "$folder/authorized_clients/$client.auth"
done
