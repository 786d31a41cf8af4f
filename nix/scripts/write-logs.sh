# shellcheck shell=bash
# Hands out the journal of some units: encrypted for the operators, into a blob of the stack's status container.
#   write-logs CONTAINER_URL MOST_BYTES UNITS...
#
# The blob is called like the machine, <name>.log.age; `npm run status -- --logs` opens it. It holds the last MOST_BYTES.
# What is in clear goes by pipes alone. The machine's identity may write there.
# Environment: SEALED_ONION_STATE (a folder in memory), SEALED_ONION_RECIPIENTS (a file, one age or SSH public key a
# line), AZURE_CLIENT_ID.
container=$1 most=$2
shift 2
state=$SEALED_ONION_STATE
export http_proxy=${http_proxy:-${HTTP_PROXY:-}} # curl reads it in small letters only

fail() {
  printf '<4>sealed-onion: the logs are not handed out: %s\n' "$1" >&2
  exit 1
}

metadata() {
  curl --silent --show-error --fail --max-time 20 --header "Metadata: true" "http://169.254.169.254/metadata/$1"
}

units=()
for unit in "$@"; do units+=(--unit "$unit"); done

journal() { journalctl --quiet --no-pager --output short-iso --lines 20000 "${units[@]}" | tail -c "$most"; }

digest=$(journal | sha256sum | cut -d ' ' -f 1)
if [[ $(cat "$state/digest" 2>/dev/null) == "$digest" ]]; then exit 0; fi

journal | age --encrypt --recipients-file "$SEALED_ONION_RECIPIENTS" --output "$state/sealed" || fail "age refuses a recipient, or the journal cannot be read"
name=$(metadata "instance/compute/name?api-version=2021-01-01&format=text") || fail "the metadata service does not answer"
query="resource=https%3A%2F%2Fstorage.azure.com%2F${AZURE_CLIENT_ID:+&client_id=$AZURE_CLIENT_ID}"
answer=$(metadata "identity/oauth2/token?api-version=2018-02-01&$query") || fail "Azure gives no token to identity ${AZURE_CLIENT_ID:-of this machine}"
code=$(curl --silent --show-error --max-time 60 --output /dev/null --write-out '%{http_code}' --request PUT \
  --header "x-ms-version: 2023-11-03" --header "x-ms-blob-type: BlockBlob" \
  --header "Content-Type: application/octet-stream" \
  --config <(printf 'header = "Authorization: Bearer %s"\n' "$(jq --raw-output .access_token <<<"$answer")") \
  --data-binary "@$state/sealed" "$container/$name.log.age") || fail "${container#https://} cannot be reached"
if [[ $code != 201 ]]; then fail "${container#https://} answers HTTP $code"; fi
printf '%s\n' "$digest" >"$state/digest"
