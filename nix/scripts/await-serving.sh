# shellcheck shell=bash
# Waits until this machine serves: secrets open, tor running, every declared address published by this very tor, and
# somebody listening behind each of their ports.
#   await-serving SECONDS SILENT
#
# SILENT is what find-silent said before the switch: a service that led to nothing then may do so still.
# Ends with 0, or with 1 and the reason on standard output. Where the machine writes no status, nothing follows its
# descriptors: then tor has to have run for a while.
# Environment: SEALED_ONION_ROOT (default none: a root to look below), SEALED_ONION_STEADY (seconds, default 15),
# SEALED_ONION_PAUSE (seconds from look to look, default 1).
root=${SEALED_ONION_ROOT:-}
facts=$root/etc/sealed-onion/facts.json
descriptors=$root/run/sealed-onion-status/descriptors.json
end=$((SECONDS + $1))
silent=$2

# said UNIT: the last line that explains why it does not run, in this boot.
said() {
  journalctl --quiet --boot --unit "$1" --output cat --lines 200 2>/dev/null |
    sed -n 's/^sealed-onion: [^:]*: //p' | tail -n 1 | cut -c 1-400
}
since() { systemctl show --timestamp=unix --property=ActiveEnterTimestamp "$1" | sed -n 's/.*=@//p'; }

# hopeless WHY: what it is about has ended as soon as it was started, again and again: waiting does not help.
hopeless() {
  local unit restarts
  if [[ $1 == "tor does not run"* ]]; then
    unit=tor.service
  elif [[ $1 =~ \(([A-Za-z0-9-]+\.service)[:\ ] ]]; then
    unit=${BASH_REMATCH[1]} # of find-silent
  else
    return 1
  fi
  restarts=$(systemctl show --value --property=NRestarts "$unit")
  ((${restarts:-0} >= 3))
}

# problem: what keeps it from serving, in one line; nothing where it serves.
problem() {
  local why
  why=$(own_problem)
  if [[ -z $why ]]; then
    why=$(find-silent | jq --raw-output --argjson before "$silent" '
      to_entries | map(select(.key as $name | $before | has($name) | not)) | .[0] // empty | "service \(.key): \(.value)"')
  fi
  printf '%s' "$why"
}

# own_problem: of secrets, tor and addresses.
own_problem() {
  local started why
  if [[ $(jq '.secrets | length' "$facts") != 0 ]] && ! systemctl --quiet is-active sops-install-secrets.service; then
    why=$(said sops-install-secrets.service)
    printf 'its secrets stay sealed%s' "${why:+: $why}"
  elif [[ $(jq '.services | length' "$facts") == 0 ]]; then
    return 0
  elif ! systemctl --quiet is-active tor.service; then
    why=$(said tor.service)
    printf 'tor does not run%s' "${why:+: $why}"
  elif [[ $(jq 'has("status")' "$facts") == true ]]; then
    started=$(since tor.service)
    jq --raw-output --argjson started "${started:-0}" --slurpfile found "$descriptors" '
      [.services | to_entries[] | .key as $name | ($found[0][.value.hostname] // {}) as $it
        | select($it.state != "own" or ($it.published | fromdateiso8601) < $started) | $name]
      | if . == [] then empty else "not published: \(join(", "))" end' "$facts" 2>/dev/null ||
      printf 'nothing is known of its descriptors'
  else
    started=$(since tor.service)
    if (($(date +%s) - ${started:-0} < ${SEALED_ONION_STEADY:-15})); then printf 'tor has just started'; fi
  fi
}

# Twice in a row: a server that listens and falls down at once does not serve.
looks=0
while :; do
  why=$(problem)
  looks=$((looks + 1))
  if [[ -n $why ]]; then looks=0; fi
  if ((looks == 2)); then exit 0; fi
  if [[ -n $why ]] && { ((SECONDS >= end)) || hopeless "$why"; }; then break; fi
  sleep "${SEALED_ONION_PAUSE:-1}"
done
printf '%s after %s s' "$why" "$((SECONDS - end + $1))"
exit 1
