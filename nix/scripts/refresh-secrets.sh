# shellcheck shell=bash
# Opens the sealed files in the machine's user data in place of the image's, when they have changed.
#
# Environment: SEALED_ONION_MANIFEST (the image's own, for sops-install-secrets), SEALED_ONION_KEY_URL,
# SEALED_ONION_STATE (default /run/sealed-onion: ciphertext and digests only), SEALED_ONION_SECRETS (/run/secrets),
# SEALED_ONION_MEMORY (/run/secrets.d): the folder that scripts/open-secrets.sh locks too while it opens the image's.
state=${SEALED_ONION_STATE:-/run/sealed-onion}
said=$state/said-user-data
secrets=${SEALED_ONION_SECRETS:-/run/secrets}
applied=$state/applied
# curl reads the proxy for http:// in small letters only.
export http_proxy=${http_proxy:-${HTTP_PROXY:-}}

say() { say-change "$said" "$1"; }
left_alone="user data is left alone"
unopened="it does not open, the secrets in use stay"

refuse() {
  say "$left_alone: $1"
  exit 1
}

# After a refusal, too, what was in use before is in use again.
say_if_refused() {
  if [[ -e $said && $(<"$said") == "$left_alone: "* ]]; then say "$1"; fi
}

# What is open now: the digest of the user data it came from, the generation, and the image's manifest. A switch makes a
# new generation, or comes with another manifest.
current() { printf '%s %s %s\n' "$1" "$(readlink "$secrets")" "$SEALED_ONION_MANIFEST"; }

# still_closed USER_DATA: the image's own that did not open (scripts/open-secrets.sh) and that this file does not replace.
still_closed() {
  if [[ $(head -n 1 "$state/closed" 2>/dev/null || true) != "$SEALED_ONION_MANIFEST" ]]; then return 0; fi
  tail -n +3 "$state/closed" |
    jq --raw-input --raw-output --slurpfile data "$1" 'select(IN($data[0].secrets // {} | keys[]) | not)'
}

# install_manifest MANIFEST DIGEST USER_DATA: all or nothing; units are restarted by sops-install-secrets, or started here.
install_manifest() {
  local closed reason
  mapfile -t closed < <(still_closed "$3")
  if ! place-secrets "$said" "$left_alone: $unopened" "$1" "${closed[@]}" >/dev/null; then
    reason=$(explain-sealed)
    refuse "$unopened${reason:+: $reason}"
  fi
  current "$2" >"$applied"
  systemctl --no-block start sealed-secrets.target
}

encoded=$(curl --silent --show-error --fail --max-time 8 --header "Metadata: true" \
  "http://169.254.169.254/metadata/instance/compute/userData?api-version=2021-01-01&format=text" 2>&1) ||
  refuse "the metadata service at 169.254.169.254 does not answer (${encoded#curl: })"
digest=$(printf '%s' "$encoded" | sha256sum | cut -d ' ' -f 1)

# From here on nobody else opens secrets, until this ends.
exec {lock}<"${SEALED_ONION_MEMORY:-/run/secrets.d}"
flock "$lock"

images_own="user data holds no secrets: the image's own are in use"
# in_use USER_DATA: which they are, by a digest of the sealed files: an owner sees that a rotated one has arrived.
in_use() {
  local digest
  digest=$(jq --sort-keys --compact-output --join-output .secrets "$1" | sha256sum)
  printf 'the secrets in user data are in use (%s)' "${digest:0:12}"
}

if [[ -z $encoded ]]; then
  # Gone: back to the image's own files, if others were in use.
  if [[ -e $applied ]]; then
    install_manifest "$SEALED_ONION_MANIFEST" "$digest" /dev/null
    rm -f "$applied"
    say "$images_own"
  fi
  say_if_refused "$images_own"
  exit 0
fi
if [[ -e $applied && $(<"$applied") == "$(current "$digest")" ]]; then
  say_if_refused "$(in_use "$state/$digest/user-data.json")"
  exit 0
fi

folder=$state/$digest
mkdir -p "$folder"
printf '%s' "$encoded" | base64 --decode >"$folder/user-data.json" || refuse "it is not base64"

# Only declared secrets, only sealed for this very vault and key: an attacker's vault could open its own files to us, and
# a key of another kind would send sops to wherever that key says it lives. Go, which sops is written in, takes a key in other
# letters for the same one, the Kelvin sign for a k: each is there once, and plain.
problem=$(jq --raw-output --slurpfile manifest "$SEALED_ONION_MANIFEST" --arg key "$SEALED_ONION_KEY_URL" '
  def declared: [$manifest[0].secrets[].name];
  def ours: ($key | capture("^(?<vault>https://[^/]+)/keys/(?<name>[^/]+)/"));
  def keys: [.sops.azure_kv[]? | {vault: (.vault_url | rtrimstr("/")), name: .name}];
  def others: [.sops | to_entries[] | select((.value | type | IN("array", "object")) and (.value | length) > 0) | .key] - ["azure_kv"];
  def ambiguous: any(.. | objects | keys_unsorted; (map(ascii_downcase) | unique | length) != length or any(.[]; test("^[ -~]*$") | not));
  if .version != 1 or (.secrets | type) != "object" then "it is not {\"version\":1,\"secrets\":{…}}"
  else [.secrets | to_entries[] |
    if (.key | IN(declared[]) | not) then "\(.key) is no secret of this image"
    elif (.value | ambiguous) or (.value | to_entries | map(.key) | sort) != ["data", "sops"] then "\(.key) has other or more keys than a sealed file"
    elif (.value | keys) == [] or (.value | keys | any(. != ours)) then "\(.key) is not sealed for \($key)"
    elif (.value | others) != [] then "\(.key) is also sealed for \(.value | others | join(", ")), and only keys of our vault may be in it"
    else empty end] | first // empty end' "$folder/user-data.json") || refuse "it is not JSON of that form"
if [[ -n $problem ]]; then refuse "$problem"; fi

jq --raw-output '.secrets | keys[]' "$folder/user-data.json" | while IFS= read -r name; do
  jq --arg name "$name" '.secrets[$name]' "$folder/user-data.json" >"$folder/$name.sops.json"
done
jq --arg folder "$folder" --slurpfile data "$folder/user-data.json" '
  .secrets |= map(.name as $name | if $data[0].secrets | has($name)
    then .sopsFile = "\($folder)/\($name).sops.json" else . end)' "$SEALED_ONION_MANIFEST" >"$folder/manifest.json"
sops-install-secrets -check-mode=sopsfile "$folder/manifest.json" || refuse "a file in it is damaged"
install_manifest "$folder/manifest.json" "$digest" "$folder/user-data.json"
say "$(in_use "$folder/user-data.json")"

# The last three sets stay for a person who looks into what happened.
find "$state" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +4 | cut -d ' ' -f 2- |
  while IFS= read -r old; do rm -rf "$old"; done
