# shellcheck shell=bash
# Brings a store path, and all that it needs and this machine lacks, into this machine's store.
#   fetch-closure STORE_PATH
#
# Ends with 0; with 1 where it may succeed later, or with 3 where what is there is not what was signed: the reason is on
# standard output. What was fetched before a kill is not fetched again. Nix itself checks each path's signature, against
# SEALED_ONION_PUBLIC_KEY alone, before it takes it.
# Environment: SEALED_ONION_SYSTEMS (the container's URL, a binary cache), SEALED_ONION_PUBLIC_KEY, AZURE_CLIENT_ID, and
# SEALED_ONION_ROOT (default none: a root to look below).
container=$SEALED_ONION_SYSTEMS
folder=${SEALED_ONION_ROOT:-}/var/lib/sealed-onion/systems
nix_options=(
  --extra-experimental-features nix-command
  --option trusted-public-keys "$SEALED_ONION_PUBLIC_KEY"
  --option require-sigs true
  --option substituters ""
  --option sync-before-registering true # a power cut leaves no path that counts as whole and is empty
)
export http_proxy=${http_proxy:-${HTTP_PROXY:-}} # curl reads it in small letters only
export XDG_CACHE_HOME=$folder/cache              # Nix remembers there what a cache has not

# end CODE REASON
end() {
  printf '%s' "$2"
  exit "$1"
}

take_token() {
  local query="resource=https%3A%2F%2Fstorage.azure.com%2F${AZURE_CLIENT_ID:+&client_id=$AZURE_CLIENT_ID}"
  curl --silent --show-error --fail --max-time 20 --header "Metadata: true" \
    "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&$query" | jq --raw-output .access_token
}

# download NAME...: blobs into the folder. Azure wants a header that Nix does not send.
token=''
download() {
  local name code failed=''
  if (($# == 0)); then return 0; fi
  if [[ -z $token ]]; then token=$(take_token) || end 1 "Azure gives no token to this machine's identity"; fi
  {
    printf 'header = "Authorization: Bearer %s"\nheader = "x-ms-version: 2023-11-03"\n' "$token"
    for name in "$@"; do printf 'url = "%s/%s"\noutput = "%s/%s.part"\n' "$container" "$name" "$folder" "$name"; done
  } | curl --silent --fail --parallel --parallel-max 8 --connect-timeout 20 --speed-limit 1 --speed-time 30 \
    --write-out '%{http_code} %{url_effective}\n' --config - >"$folder/codes" || failed=1
  while read -r code name; do
    name=${name#"$container/"}
    case $code in
    200) ;;
    404) rm -f "$folder"/*.narinfo && end 3 "${container#https://} has no $name" ;;
    403) end 1 "this machine's identity may not read ${container#https://} (HTTP 403): run pulumi up" ;;
    000) end 1 "${container#https://} cannot be reached" ;;
    *) end 1 "${container#https://} answers HTTP $code" ;;
    esac
  done <"$folder/codes"
  if [[ -n $failed ]]; then end 1 "${container#https://} broke off"; fi
  for name in "$@"; do mv "$folder/$name.part" "$folder/$name"; done
}

# field NAME FILE: of a narinfo.
field() { sed -n "s/^$1: //p" "$2"; }

# are_names WORDS: whether they are names of store paths. Nobody has signed what a narinfo says yet.
are_names() { [[ " $1" =~ ^(\ [0-9a-z]{32}-[0-9A-Za-z+._?=-]+)*\ ?$ ]]; }

# missing PATH...: those that the store does not have whole.
missing() { nix-store --check-validity --print-invalid "$@" 2>/dev/null || true; }

mkdir -p "$folder/nar"
printf 'StoreDir: /nix/store\n' >"$folder/nix-cache-info"
wanted=() archives=() level=("$1")
declare -A seen=()
while ((${#level[@]} > 0)); do
  names=() next=()
  mapfile -t level < <(missing "${level[@]}")
  for path in "${level[@]}"; do
    name=$(basename "$path")
    if [[ ! -s $folder/${name:0:32}.narinfo ]]; then names+=("${name:0:32}.narinfo"); fi
  done
  download "${names[@]}"
  for path in "${level[@]}"; do
    name=$(basename "$path")
    info=$folder/${name:0:32}.narinfo
    url=$(field URL "$info")
    sizes="$(field NarSize "$info") $(field FileSize "$info")"
    if [[ $(field StorePath "$info") != "$path" || ! $url =~ ^nar/[0-9a-z]{52}\.nar\.zst$ ||
      ! $sizes =~ ^[0-9]{1,15}\ [0-9]{1,15}$ ]] || ! are_names "$(field References "$info")"; then
      rm "$info"
      end 3 "${name:0:32}.narinfo in ${container#https://} is not that of $path"
    fi
    wanted+=("$path")
    archives+=("$url")
    for reference in $(field References "$info"); do
      if [[ -z ${seen[$reference]:-} ]]; then next+=("/nix/store/$reference"); fi
      seen[$reference]=1
    done
  done
  level=("${next[@]}")
done
if ((${#wanted[@]} == 0)); then exit 0; fi

mapfile -t archives < <(printf '%s\n' "${archives[@]}" | sort --unique) # equal content is one archive
names=() needed=0
for url in "${archives[@]}"; do if [[ ! -e $folder/$url ]]; then names+=("$url"); fi; done
for path in "${wanted[@]}"; do
  name=$(basename "$path")
  info=$folder/${name:0:32}.narinfo
  needed=$((needed + $(field NarSize "$info")))
  if [[ ! -e $folder/$(field URL "$info") ]]; then needed=$((needed + $(field FileSize "$info"))); fi
done
available=$(df --block-size=1 --output=avail "$folder" | tail -n 1)
if ((needed > available)); then
  rm -r "$folder" # what serves needs the room
  end 1 "the disk has $((available >> 20)) MiB left, and the system needs $(((needed >> 20) + 1)) MiB: set a larger sealed-onion:osDisk.sizeGiB, or type nix-collect-garbage on the machine"
fi
download "${names[@]}"
for url in "${archives[@]}"; do
  if [[ nar/$(nix-hash --type sha256 --base32 --flat "$folder/$url").nar.zst != "$url" ]]; then
    rm "$folder/$url" "$folder"/*.narinfo # another archive of it may be there by then
    end 3 "$url in ${container#https://} is cut or damaged"
  fi
done

answer=$(nix copy "${nix_options[@]}" --no-recursive --from "file://$folder" "${wanted[@]}" 2>&1) || {
  problem=$(sed -n 's/.*error: *//p' <<<"$answer" | tail -n 1 | sed 's/\x1b\[[0-9;]*m//g' | cut -c 1-300)
  case $answer in
  *"lacks a "*signature*) rm -f "$folder"/*.narinfo && end 3 "a path of it is not signed by ${SEALED_ONION_PUBLIC_KEY%%:*}" ;;
  *"hash mismatch"*) rm -rf "$folder" && end 3 "$problem" ;;
  *) end 1 "Nix cannot take it: $problem" ;;
  esac
}
rm -r "$folder"
