# shellcheck shell=bash
# Takes from the machine's user data which replica it is, and lays out what follows from it: STATE/number, and a link to
# this replica's own onion key for each service.
#   read-replica TABLE      TABLE: a file, {"<service>":["<path of replica 1's opened key>", …]}
#
# User data is base64 of {"version":1,"replica":2,…}. Two replicas of one number would have one address and take it from
# each other, so a number that is missing or too large is refused, and tor stays down.
# Environment: SEALED_ONION_REPLICA (the folder, default /run/sealed-onion-replica).
table=$1
state=${SEALED_ONION_REPLICA:-/run/sealed-onion-replica}
export http_proxy=${http_proxy:-${HTTP_PROXY:-}} # curl reads it in small letters only

refuse() {
  printf '<2>sealed-onion: this replica stays down: %s\n' "$1" >&2
  exit 1
}

encoded=$(curl --silent --show-error --fail --max-time 20 --header "Metadata: true" \
  "http://169.254.169.254/metadata/instance/compute/userData?api-version=2021-01-01&format=text") ||
  refuse "the metadata service gives no user data, which says which replica it is"
number=$(base64 --decode <<<"$encoded" 2>/dev/null | jq '.replica // empty' 2>/dev/null) || number=''
count=$(jq '[.[] | length] | min' "$table")
if [[ ! $number =~ ^[1-9][0-9]*$ ]] || ((number > count)); then
  refuse "user data must say which replica it is, 1 to $count, got ${number:-nothing}: run pulumi up"
fi

mkdir -p "$state/keys"
jq --raw-output --argjson number "$number" 'to_entries[] | [.key, .value[$number - 1]] | @tsv' "$table" |
  while IFS=$'\t' read -r service key; do ln -sfn "$key" "$state/keys/$service"; done
printf '%s\n' "$number" >"$state/number.new"
mv "$state/number.new" "$state/number"
printf '<6>sealed-onion: this is replica %s of %s\n' "$number" "$count" >&2
