# shellcheck shell=bash
# Finds the onion services that lead to nothing on this machine: their address is published, and nobody is behind it.
#   find-silent
#
# JSON on standard output, {"<service>":"<what is wrong, in one line>"}; {} where something listens behind each port. It
# reads the kernel's tables and connects to nothing: no server sees a visitor that is none. What leads where is in
# /etc/sealed-onion/targets.json (modules/onion-service/targets.nix); without that file there is nothing to say.
# Environment: SEALED_ONION_ROOT (default none: a root to look below).
root=${SEALED_ONION_ROOT:-}
targets=$root/etc/sealed-onion/targets.json

# listens TARGET: "unix:/PATH", or an address and a port, of which the port counts: a listener on all addresses will do.
listens() {
  local flags name address state port
  if [[ $1 == unix:* ]]; then
    while read -r _ _ _ flags _ _ _ name; do
      if [[ $flags == 00010000 && $name == "${1#unix:}" ]]; then return 0; fi # __SO_ACCEPTCON
    done <"$root/proc/net/unix"
    return 1
  fi
  printf -v port '%04X' "${1##*:}"
  while read -r _ address _ state _; do
    if [[ $state == 0A && ${address##*:} == "$port" ]]; then return 0; fi # TCP_LISTEN
  done < <(cat "$root/proc/net/tcp" "$root/proc/net/tcp6" 2>/dev/null)
  return 1
}

# how UNIT: " (NAME: exit-code 1)", as systemd counts; nothing of what it has written, which may be about visitors.
how() {
  local ActiveState='' Result='' ExecMainStatus='' line
  while IFS= read -r line; do
    if [[ $line =~ ^(ActiveState|Result|ExecMainStatus)=([a-z0-9-]*)$ ]]; then
      printf -v "${BASH_REMATCH[1]}" '%s' "${BASH_REMATCH[2]}"
    fi
  done < <(systemctl show --property=ActiveState,Result,ExecMainStatus "$1")
  if [[ ${Result:-success} == success ]]; then
    printf ' (%s is %s)' "$1" "${ActiveState:-unknown}"
  else
    printf ' (%s: %s %s)' "$1" "$Result" "$ExecMainStatus"
  fi
}

if [[ ! -e $targets ]]; then
  printf '{}\n'
  exit 0
fi
while IFS=$'\t' read -r service target unit; do
  if ! listens "$target"; then
    printf '%s\tnothing listens at %s%s\n' "$service" "$target" "${unit:+$(how "$unit")}"
  fi
done < <(jq --raw-output 'to_entries[] | .key as $name | .value[] | [$name, .target, .unit // ""] | @tsv' "$targets") |
  jq --raw-input --null-input --compact-output '
    [inputs | split("\t")] | group_by(.[0]) | map({(.[0][0]): (map(.[1]) | join(", "))}) | add // {}'
