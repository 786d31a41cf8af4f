# shellcheck shell=bash
# Writes how this machine is into a blob of its stack's account: where something has changed, else every few minutes.
#   write-status CONTAINER_URL SERVICES
#
# SERVICES is JSON, {"<service>":"<hostname>"}. The blob is called like the machine, <name>.json; what is in it is read by
# components/vm/status/machine-status.ts. No secret, nothing of any visitor. The machine's identity may write there.
# Environment: SEALED_ONION_STATE (the folder of scripts/follow-descriptors.sh), AZURE_CLIENT_ID, SEALED_ONION_TOR (its
# version), SEALED_ONION_DATA (where the data disk is mounted; default: there is none), SEALED_ONION_ALONE (a replica's
# services that no front end publishes, by name; default: none), SEALED_ONION_EVERY in seconds (default 300).
# SEALED_ONION_ROOT (default none): a root to look below.
container=$1 services=$2
state=$SEALED_ONION_STATE root=${SEALED_ONION_ROOT:-}
export http_proxy=${http_proxy:-${HTTP_PROXY:-}} # curl reads it in small letters only

fail() {
  printf '<4>sealed-onion: the status stays unwritten: %s\n' "$1" >&2
  exit 1
}

metadata() {
  curl --silent --show-error --fail --max-time 20 --header "Metadata: true" "http://169.254.169.254/metadata/$1"
}

# said UNIT: the last line that explains why it does not run, in this boot.
said() {
  journalctl --quiet --boot --unit "$1" --output cat --lines 200 2>/dev/null |
    sed -n 's/^sealed-onion: [^:]*: //p' | tail -n 1 | cut -c 1-600
}

# unit NAME: {"state":"active"}, with "why" where it is not.
unit() {
  local active why=''
  active=$(systemctl is-active "$1" || true)
  if [[ $active != active ]]; then why=$(said "$1"); fi
  jq --null-input --arg state "$active" --arg why "$why" '{$state} + if $why == "" then {} else {$why} end'
}

target() { readlink "$root/run/$1" 2>/dev/null || true; }

# Whether what runs in the kernel is another than what is wanted.
reboot_pending() {
  local part
  for part in kernel initrd kernel-modules; do
    if [[ $(readlink "$root/run/booted-system/$part") != $(readlink "$root/run/current-system/$part") ]]; then
      printf 'true'
      return
    fi
  done
  printf 'false'
}

memory() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" "$root/proc/meminfo"; }
free_bytes() { df --block-size=1 --output=size,avail "${root}${1}" 2>/dev/null | tail -n 1; }

# Since when tor has had its oldest entry guard: a new one is a chance for somebody who looks for this machine.
guards_since() { sed -n 's/^Guard .* confirmed_on=\([^ ]*\).*/\1Z/p' "$root/var/lib/tor/state" 2>/dev/null | sort | head -n 1; }

json_of() { cat "$1" 2>/dev/null || printf '%s' "$2"; }

compute=$(metadata "instance/compute?api-version=2021-01-01" | jq '{name, resourceId} + if (.zone // "") == "" then {} else {zone} end') ||
  fail "the metadata service does not answer"
read -r size available <<<"$(free_bytes /)"
read -r data_size data_available <<<"$(free_bytes "${SEALED_ONION_DATA:-/}")"
descriptors=$(json_of "$state/descriptors.json" '{}')
status=$(jq --null-input \
  --argjson compute "$compute" --argjson names "$services" --argjson descriptors "$descriptors" \
  --argjson silent "$(find-silent)" \
  --argjson replica "$(json_of "$root/run/sealed-onion-replica/number" null)" \
  --argjson visits "$(json_of "$state/visits.json" null)" \
  --argjson front "$(json_of "$root/run/sealed-onion-front-end/front-end.json" null)" \
  --argjson update "$(json_of "$root/var/lib/sealed-onion/update.json" null)" \
  --argjson data "$(if [[ -n ${SEALED_ONION_DATA:-} ]]; then unit data-disk.service; else printf null; fi)" \
  --argjson secrets "$(unit sops-install-secrets.service)" --argjson tor "$(unit tor.service)" \
  --arg failed "$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1)" \
  --arg system "$(target current-system)" --arg booted "$(target booted-system)" \
  --argjson pending "$(reboot_pending)" \
  --arg boot "$(cat "$root/proc/sys/kernel/random/boot_id")" --arg guards "$(guards_since)" \
  --arg alone "${SEALED_ONION_ALONE:-}" --arg version "${SEALED_ONION_TOR:-}" --arg release "$(uname -r)" '{
    version: 1,
    machine: $compute.name,
    resourceId: $compute.resourceId,
    boot: $boot,
    system: $system,
    bootedSystem: $booted,
    rebootPending: $pending,
    secrets: $secrets,
    tor: ($tor + {version: $version} + if $guards == "" then {} else {guardsSince: $guards} end),
    services: ($names | with_entries(.key as $name | .value as $hostname
      | .value = {hostname: $hostname} + ($descriptors[$hostname]
        // (($front // {})[$hostname] | select(.published) | {published, state: "own"})
        // {published: null, state: "waiting"})
        + if $silent[$name] then {silent: $silent[$name]} else {} end
        + if $alone | split(" ") | index($name) then {alone: true} else {} end)),
    failedUnits: ($failed | split("\n") | map(select(. != ""))),
    update: $update,
    kernel: $release
  } + if $replica == null then {} else {$replica} end
    + if $visits == null then {} else {$visits} end
    + if $front == null then {} else {frontEnd: $front} end
    + if $compute.zone then {zone: $compute.zone} else {} end
    + if $data == null then {} else {dataDisk: $data} end')

# What changes all the time is no reason to write.
digest=$(sha256sum <<<"$status" | cut -d ' ' -f 1)
now=$(date +%s)
read -r last at <<<"$(json_of "$state/written" 'none 0')"
if [[ $last == "$digest" ]] && ((now - at < ${SEALED_ONION_EVERY:-300})); then exit 0; fi

query="resource=https%3A%2F%2Fstorage.azure.com%2F${AZURE_CLIENT_ID:+&client_id=$AZURE_CLIENT_ID}"
answer=$(metadata "identity/oauth2/token?api-version=2018-02-01&$query") || fail "Azure gives no token to identity ${AZURE_CLIENT_ID:-of this machine}"
name=$(jq --raw-output .machine <<<"$status")
code=$(jq --arg written "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" \
  --argjson uptime "$(cut -d . -f 1 "$root/proc/uptime")" \
  --argjson disk "{\"size\":$size,\"available\":$available}" \
  --argjson data "{\"size\":${data_size:-0},\"available\":${data_available:-0}}" \
  --argjson memory "{\"total\":$(memory MemTotal)000,\"available\":$(memory MemAvailable)000}" \
  '. + {$written, uptimeSeconds: $uptime, $disk, $memory}
    | if .dataDisk.state == "active" then .dataDisk += $data else . end' <<<"$status" |
  curl --silent --show-error --max-time 30 --output /dev/null --write-out '%{http_code}' --request PUT \
    --header "x-ms-version: 2023-11-03" --header "x-ms-blob-type: BlockBlob" --header "Content-Type: application/json" \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$(jq --raw-output .access_token <<<"$answer")") \
    --data-binary @- "$container/$name.json") || fail "${container#https://} cannot be reached"
case $code in
201) printf '%s %s\n' "$digest" "$now" >"$state/written" ;;
403) fail "identity ${AZURE_CLIENT_ID:-of this machine} may not write to ${container#https://} (HTTP 403): run pulumi up" ;;
404) fail "there is no ${container#https://} (HTTP 404): run pulumi up" ;;
*) fail "${container#https://} answers HTTP $code" ;;
esac
